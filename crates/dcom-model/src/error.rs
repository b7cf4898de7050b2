//! Why a model cannot be run, with the file and what would be right.

use std::path::PathBuf;

use dcom_reference::ReferenceError;
use dcom_tensor::TensorError;
use dcom_trace::EvaluateError;
use thiserror::Error;

/// Why a model cannot be run.
#[derive(Debug, Error)]
pub enum ModelError {
    /// A file of the checkpoint other than weights.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A line of a file of questions.
    #[error("{}:{line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A file of weights.
    #[error(transparent)]
    Tensor(#[from] Box<TensorError>),
    /// Tensors that the configuration asks for are in no file.
    #[error("{}: the checkpoint is incomplete: {missing} of {all} tensors are missing, the first is `{first}`", folder.display())]
    Incomplete {
        /// The checkpoint.
        folder: PathBuf,
        /// How many are missing.
        missing: usize,
        /// How many there must be.
        all: usize,
        /// The first of them.
        first: String,
    },
    /// A tensor that does not fit the configuration.
    #[error("{}: tensor `{tensor}` has shape {found:?}, but {expected:?} follows from config.json", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its shape.
        found: Vec<u64>,
        /// The right one.
        expected: Vec<u64>,
    },
    /// Something that was asked for does not suit the model or the text.
    #[error("{0}")]
    Request(String),
    /// A value outside of the range of fp16, in which the machine computes.
    #[error(
        "layer {layer}, `{value}`: {count} values are beyond the fp16 range of +-65504, the machine cannot decompose them"
    )]
    Overflow {
        /// The layer.
        layer: u32,
        /// Which of its values.
        value: &'static str,
        /// How many.
        count: usize,
    },
    /// The factors that the machine made are no numbers.
    #[error(
        "layer {layer}, `{value}`: the machine's factors are not finite; its arithmetic overflows (choose another accumulation or scaling)"
    )]
    NotFinite {
        /// The layer.
        layer: u32,
        /// Which of its values.
        value: &'static str,
    },
    /// The machine cannot decompose.
    #[error(transparent)]
    Machine(#[from] EvaluateError),
    /// A float64 decomposition failed.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The tensor library refused.
    #[error("internal: {0}")]
    Compute(#[from] candle_core::Error),
}

impl From<TensorError> for ModelError {
    fn from(error: TensorError) -> ModelError {
        ModelError::Tensor(Box::new(error))
    }
}
