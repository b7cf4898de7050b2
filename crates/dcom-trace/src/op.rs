//! The ops of a layer: what kinds there are, and which shapes each takes and gives.

use crate::shape::{Dim, Dtype, Shape};
use crate::trace::Model;

/// An op of a trace by its place in the list; its result goes by the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpId(pub(crate) usize);

impl OpId {
    /// Place in [`Trace::ops`](crate::Trace::ops).
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

/// What an op does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Comes from outside of the layer.
    Input,
    /// Root-mean-square norm with a weight per channel.
    RmsNorm,
    /// Mean and variance norm with weight and bias per channel.
    LayerNorm,
    /// y = x W^T, with W of output x input channels.
    Linear,
    /// Rotary position embedding.
    Rope,
    /// Q K^T / sqrt(head size), per head.
    AttentionScores,
    /// Softmax over the last dimension.
    Softmax,
    /// Scores times V, heads side by side.
    AttentionValues,
    /// Scores, softmax and values in one, of Q, K and V.
    Attention,
    /// The same after rotary embedding of Q and K.
    RopeAttention,
    /// silu(gate) * up.
    SiluMultiply,
    /// The GELU function.
    Gelu,
    /// Sum of two, as in a residual connection.
    Add,
}

/// One op and its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// Name, unique in the trace.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// What it works on; these ops stand before it.
    pub inputs: Vec<OpId>,
    /// Shape of the result.
    pub shape: Shape,
    /// Element type of the result.
    pub dtype: Dtype,
    /// Recorded durations [us]: none, or as many as [`Run`](crate::Run) says.
    pub microseconds: Vec<f64>,
}

impl Kind {
    /// All kinds, as manifests write them.
    pub const NAMES: [(&'static str, Kind); 13] = [
        ("input", Kind::Input),
        ("rms_norm", Kind::RmsNorm),
        ("layer_norm", Kind::LayerNorm),
        ("linear", Kind::Linear),
        ("rope", Kind::Rope),
        ("attention_scores", Kind::AttentionScores),
        ("softmax", Kind::Softmax),
        ("attention_values", Kind::AttentionValues),
        ("attention", Kind::Attention),
        ("rope_attention", Kind::RopeAttention),
        ("silu_multiply", Kind::SiluMultiply),
        ("gelu", Kind::Gelu),
        ("add", Kind::Add),
    ];

    /// The name in manifests.
    #[must_use]
    pub fn name(self) -> &'static str {
        let (name, _) = Kind::NAMES
            .iter()
            .find(|(_, kind)| *kind == self)
            .expect("every kind has a name");
        name
    }

    /// How many inputs it has.
    #[must_use]
    pub fn arity(self) -> usize {
        match self {
            Kind::Input => 0,
            Kind::RmsNorm
            | Kind::LayerNorm
            | Kind::Linear
            | Kind::Rope
            | Kind::Softmax
            | Kind::Gelu => 1,
            Kind::AttentionScores | Kind::AttentionValues | Kind::SiluMultiply | Kind::Add => 2,
            Kind::Attention | Kind::RopeAttention => 3,
        }
    }

    /// Checks the shapes of inputs and result; as many inputs as [`Kind::arity`] says.
    pub(crate) fn check(
        self,
        inputs: &[&Shape],
        result: &Shape,
        model: &Model,
    ) -> Result<(), String> {
        let heads_wide = || Shape::tokens_by(model.heads * model.head_size);
        let kv_wide = || Shape::tokens_by(model.kv_heads * model.head_size);
        let scores = || Shape::new([Dim::Fixed(model.heads), Dim::Tokens, Dim::Tokens]);
        let (takes, gives) = match self {
            Kind::Input => return Ok(()),
            Kind::Linear => return linear(inputs[0], result),
            Kind::RmsNorm | Kind::LayerNorm | Kind::Rope | Kind::Softmax | Kind::Gelu => {
                (vec![inputs[0].clone()], inputs[0].clone())
            }
            Kind::SiluMultiply | Kind::Add => (vec![inputs[0].clone(); 2], inputs[0].clone()),
            Kind::AttentionScores => (vec![heads_wide(), kv_wide()], scores()),
            Kind::AttentionValues => (vec![scores(), kv_wide()], heads_wide()),
            Kind::Attention | Kind::RopeAttention => {
                (vec![heads_wide(), kv_wide(), kv_wide()], heads_wide())
            }
        };
        for (place, (found, expected)) in inputs.iter().zip(&takes).enumerate() {
            if *found != expected {
                return Err(format!(
                    "input {} of {} has shape {found}, must be {expected}",
                    place + 1,
                    self.name()
                ));
            }
        }
        if *result == gives {
            Ok(())
        } else {
            Err(format!("{} gives {gives}", self.name()))
        }
    }
}

fn linear(input: &Shape, result: &Shape) -> Result<(), String> {
    if input.channels().is_none() {
        return Err(format!(
            "the input of linear has shape {input}, must be [\"S\", channels]"
        ));
    }
    match result.channels() {
        Some(_) => Ok(()),
        None => Err("linear gives [\"S\", channels]".to_owned()),
    }
}
