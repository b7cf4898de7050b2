//! What the executor rejects.

use dcom_isa::Mat;
use dcom_reference::ReferenceError;
use thiserror::Error;

/// Why a verified program cannot be executed on the given inputs.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ExecError {
    /// A matrix needs a prompt that was not given.
    #[error("{matrix} needs prompt {prompt}, there are {given} prompts")]
    MissingPrompt {
        /// The matrix.
        matrix: Mat,
        /// Index of the prompt.
        prompt: u64,
        /// Prompts given.
        given: usize,
    },
    /// A prompt has another shape than the matrix that takes it.
    #[error("prompt {prompt} is {found_rows} x {found_columns}, {matrix} is {rows} x {columns}")]
    PromptShape {
        /// The matrix.
        matrix: Mat,
        /// Index of the prompt.
        prompt: usize,
        /// Rows of the matrix table.
        rows: u32,
        /// Columns of the matrix table.
        columns: u32,
        /// Rows of the prompt.
        found_rows: usize,
        /// Columns of the prompt.
        found_columns: usize,
    },
    /// A host vector that the program takes was not given.
    #[error("the program takes host vector {host}, there are {given} host vectors")]
    MissingHostVector {
        /// Index of the vector.
        host: u16,
        /// Host vectors given.
        given: usize,
    },
    /// A host vector has another length than the bank vector that takes it.
    #[error("host vector {host} has {found} elements, expected {expected}")]
    HostVectorLength {
        /// Index of the vector.
        host: u16,
        /// Elements of the bank vector.
        expected: usize,
        /// Elements given.
        found: usize,
    },
    /// The small SVD failed.
    #[error("svd of {matrix}: {source}")]
    Svd {
        /// The matrix it belongs to.
        matrix: Mat,
        /// Why.
        source: ReferenceError,
    },
}
