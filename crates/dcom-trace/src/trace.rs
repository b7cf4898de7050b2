//! A trace that has been read and checked, and its tensors one at a time.

use std::path::{Path, PathBuf};

use dcom_tensor::{Matrix, ReadOptions, read_matrix};

use crate::error::TraceError;
use crate::op::{Kind, Op, OpId};

/// Version of the format that this crate reads and writes.
pub const FORMAT: u64 = 1;

/// Shape of the model that the layer belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Name, for reports.
    pub name: String,
    /// Channels of the residual stream, H.
    pub hidden: u32,
    /// Attention heads.
    pub heads: u32,
    /// Heads of keys and values.
    pub kv_heads: u32,
    /// Channels of a head.
    pub head_size: u32,
    /// Channels between the linear layers of the feed-forward part.
    pub ffn: u32,
}

/// The keys of [`Model`] that are sizes, in the order of its fields.
#[must_use]
pub fn model_shape_keys() -> [&'static str; 5] {
    ["hidden", "heads", "kv_heads", "head_size", "ffn"]
}

/// How prompts ran when durations were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// One after the other: an op has one duration per prompt.
    OneByOne,
    /// As one batch, padded to the longest: an op has one duration.
    Together,
}

/// Where durations come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// What measured.
    pub device: String,
    /// How prompts ran.
    pub run: Run,
}

/// A prompt of a trace by its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PromptId(pub(crate) usize);

impl PromptId {
    /// Place in [`Trace::prompts`].
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

/// One prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Name, unique in the trace.
    pub id: String,
    /// Tokens.
    pub length: u32,
    /// What text it is, with its licence.
    pub text: Option<String>,
}

/// What a tensor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The result of an op for a prompt.
    Activation(OpId, PromptId),
    /// The weight of a linear op: output x input channels.
    Weight(OpId),
}

/// A recorded matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// What it holds.
    pub of: Of,
    /// Name of its file in the folder.
    pub file: String,
    /// Its name in the file.
    pub name: String,
    /// Best possible relative Frobenius errors by rank, as recorded for readers and checks.
    pub best_rank_error: Vec<(usize, f64)>,
}

/// One layer, its ops in the order in which they run, some prompts, and what was recorded of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The folder.
    pub folder: PathBuf,
    /// The model.
    pub model: Model,
    /// Which layer, from 0.
    pub layer: u32,
    /// What made the trace.
    pub source: String,
    /// Where durations come from; there whenever an op has some.
    pub recording: Option<Recording>,
    /// The prompts; at least one.
    pub prompts: Vec<Prompt>,
    /// The ops; at least one.
    pub ops: Vec<Op>,
    /// The tensors.
    pub tensors: Vec<Tensor>,
}

impl Trace {
    /// Name of the manifest, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        self.folder
            .join(crate::files::MANIFEST)
            .display()
            .to_string()
    }

    /// An op.
    #[must_use]
    pub fn op(&self, id: OpId) -> &Op {
        &self.ops[id.0]
    }

    /// A prompt.
    #[must_use]
    pub fn prompt(&self, id: PromptId) -> &Prompt {
        &self.prompts[id.0]
    }

    /// All ops with their ids, in order.
    pub fn op_ids(&self) -> impl Iterator<Item = OpId> + use<> {
        (0..self.ops.len()).map(OpId)
    }

    /// All prompts with their ids, in order.
    pub fn prompt_ids(&self) -> impl Iterator<Item = PromptId> + use<> {
        (0..self.prompts.len()).map(PromptId)
    }

    /// The op of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<OpId> {
        self.ops.iter().position(|op| op.name == name).map(OpId)
    }

    /// The ops that work on the result of an op, in order.
    pub fn readers(&self, of: OpId) -> impl Iterator<Item = OpId> + '_ {
        self.op_ids()
            .filter(move |id| self.op(*id).inputs.contains(&of))
    }

    /// The ops whose result a linear op reads: what can be decomposed.
    #[must_use]
    pub fn decomposable(&self) -> Vec<OpId> {
        let read_by_linear = |op: &OpId| {
            self.op(*op).shape.channels().is_some()
                && self
                    .readers(*op)
                    .any(|reader| self.op(reader).kind == Kind::Linear)
        };
        self.op_ids().filter(read_by_linear).collect()
    }

    /// The recorded result of an op for a prompt.
    #[must_use]
    pub fn activation(&self, op: OpId, prompt: PromptId) -> Option<&Tensor> {
        let of = Of::Activation(op, prompt);
        self.tensors.iter().find(|tensor| tensor.of == of)
    }

    /// The recorded weight of a linear op.
    #[must_use]
    pub fn weight(&self, op: OpId) -> Option<&Tensor> {
        let of = Of::Weight(op);
        self.tensors.iter().find(|tensor| tensor.of == of)
    }

    /// Whether an activation was recorded.
    #[must_use]
    pub fn has_activations(&self) -> bool {
        let activation = |tensor: &Tensor| matches!(tensor.of, Of::Activation(..));
        self.tensors.iter().any(activation)
    }

    /// Recorded time of an op for all prompts [us].
    #[must_use]
    pub fn recorded_us(&self, op: OpId) -> Option<f64> {
        let durations = &self.op(op).microseconds;
        (!durations.is_empty()).then(|| durations.iter().sum())
    }

    /// Reads a tensor into fp16.
    ///
    /// # Errors
    /// A value is not finite or beyond the range of fp16, or the file changed since the trace was read.
    pub fn load(&self, tensor: &Tensor) -> Result<Matrix, TraceError> {
        let path = self.path(tensor);
        let options = ReadOptions {
            tensor: Some(tensor.name.clone()),
            ..ReadOptions::default()
        };
        let loaded = read_matrix(&path, &options).map_err(|source| TraceError::Values {
            what: self.what(tensor),
            source: Box::new(source),
        })?;
        if loaded.overflowed > 0 {
            return Err(TraceError::Overflow {
                what: format!("{}: {}", self.what(tensor), path.display()),
                count: loaded.overflowed,
            });
        }
        Ok(loaded.matrix)
    }

    /// Reads every tensor once, one at a time, and forgets it: afterwards all values are known to be finite fp16 numbers.
    ///
    /// # Errors
    /// The first tensor with other values: op, prompt, row and column.
    pub fn check_values(&self) -> Result<(), TraceError> {
        self.tensors
            .iter()
            .try_for_each(|tensor| self.load(tensor).map(drop))
    }

    /// The file of a tensor.
    #[must_use]
    pub fn path(&self, tensor: &Tensor) -> PathBuf {
        self.folder.join(Path::new(&tensor.file))
    }

    fn what(&self, tensor: &Tensor) -> String {
        match tensor.of {
            Of::Activation(op, prompt) => format!(
                "op `{}`, prompt `{}`",
                self.op(op).name,
                self.prompt(prompt).id
            ),
            Of::Weight(op) => format!("op `{}`, weight", self.op(op).name),
        }
    }
}
