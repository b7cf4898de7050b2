//! The ops of a Llama decoder layer, without values: RMS norm, attention with rotary embedding, gated feed-forward part
//! (Touvron et al., arXiv 2307.09288, and the paper's Fig. 6).

use crate::op::{Kind, Op, OpId};
use crate::shape::{Dim, Dtype, Shape};
use crate::trace::Model;

/// The sizes of a decoder layer: those of [`Model`], under the name that its ops give them.
pub type LayerShape = Model;

/// The ops of a decoder layer in the order in which they run. The first, `x`, is the layer's input, the last, `out`, its
/// output.
#[must_use]
pub fn decoder_layer(model: &LayerShape, dtype: Dtype) -> Vec<Op> {
    layer(model, dtype, Layer::attention_in_steps)
}

/// The same with attention in one op, `attention`, as recorders see it.
#[must_use]
pub fn recorded_layer(model: &LayerShape, dtype: Dtype) -> Vec<Op> {
    layer(model, dtype, |layer, [q, k, v], model| {
        let wide = Shape::tokens_by(model.heads * model.head_size);
        layer.push("attention", Kind::RopeAttention, &[q, k, v], wide)
    })
}

fn layer(
    model: &LayerShape,
    dtype: Dtype,
    attention: impl Fn(&mut Layer, [OpId; 3], &LayerShape) -> OpId,
) -> Vec<Op> {
    let (attention_wide, kv_wide) = (
        model.heads * model.head_size,
        model.kv_heads * model.head_size,
    );
    let hidden = || Shape::tokens_by(model.hidden);
    let mut layer = Layer {
        ops: Vec::new(),
        dtype,
    };
    let x = layer.push("x", Kind::Input, &[], hidden());
    let norm = layer.push("input_norm", Kind::RmsNorm, &[x], hidden());
    let q = layer.push("q", Kind::Linear, &[norm], Shape::tokens_by(attention_wide));
    let k = layer.push("k", Kind::Linear, &[norm], Shape::tokens_by(kv_wide));
    let v = layer.push("v", Kind::Linear, &[norm], Shape::tokens_by(kv_wide));
    let a = attention(&mut layer, [q, k, v], model);
    let o = layer.push("o", Kind::Linear, &[a], hidden());
    let y = layer.push("attention_residual", Kind::Add, &[x, o], hidden());
    let norm = layer.push("ffn_norm", Kind::RmsNorm, &[y], hidden());
    let gate = layer.push("gate", Kind::Linear, &[norm], Shape::tokens_by(model.ffn));
    let up = layer.push("up", Kind::Linear, &[norm], Shape::tokens_by(model.ffn));
    let act = layer.push(
        "act",
        Kind::SiluMultiply,
        &[gate, up],
        Shape::tokens_by(model.ffn),
    );
    let down = layer.push("down", Kind::Linear, &[act], hidden());
    layer.push("out", Kind::Add, &[y, down], hidden());
    layer.ops
}

struct Layer {
    ops: Vec<Op>,
    dtype: Dtype,
}

impl Layer {
    fn attention_in_steps(&mut self, [q, k, v]: [OpId; 3], model: &LayerShape) -> OpId {
        let wide = || Shape::tokens_by(model.heads * model.head_size);
        let kv_wide = Shape::tokens_by(model.kv_heads * model.head_size);
        let scores = || Shape::new([Dim::Fixed(model.heads), Dim::Tokens, Dim::Tokens]);
        let q = self.push("rope_q", Kind::Rope, &[q], wide());
        let k = self.push("rope_k", Kind::Rope, &[k], kv_wide);
        let s = self.push("scores", Kind::AttentionScores, &[q, k], scores());
        let p = self.push("softmax", Kind::Softmax, &[s], scores());
        self.push("values", Kind::AttentionValues, &[p, v], wide())
    }

    fn push(&mut self, name: &str, kind: Kind, inputs: &[OpId], shape: Shape) -> OpId {
        self.ops.push(Op {
            name: name.to_owned(),
            kind,
            inputs: inputs.to_vec(),
            shape,
            dtype: self.dtype,
            microseconds: Vec::new(),
        });
        OpId(self.ops.len() - 1)
    }
}
