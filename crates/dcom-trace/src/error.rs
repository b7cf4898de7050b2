//! What can be wrong with a trace, and with what is asked of it.

use dcom_config::ConfigError;
use dcom_exec::ExecError;
use dcom_isa::VerifyError;
use dcom_mapper::MapError;
use dcom_reference::ReferenceError;
use dcom_tensor::{FactorsError, TensorError};
use thiserror::Error;

/// Why a trace cannot be used.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The manifest, or a file that it names: file, line, key, value and what would be right.
    #[error(transparent)]
    Manifest(#[from] Box<ConfigError>),
    /// Values of a tensor.
    #[error("{what}: {source}")]
    Values {
        /// Which op and prompt.
        what: String,
        /// What is wrong.
        source: Box<TensorError>,
    },
    /// Values that fp16, which the machine works on, cannot hold.
    #[error("{what}: {count} values are beyond the fp16 range of +-65504")]
    Overflow {
        /// Which op and prompt, with the file.
        what: String,
        /// How many values.
        count: usize,
    },
    /// Nothing was recorded where values are needed.
    #[error("{trace}: no activation was recorded, only shapes; {needs}")]
    NoTensors {
        /// The manifest.
        trace: String,
        /// What needs them.
        needs: &'static str,
    },
    /// Two traces given together do not belong together.
    #[error("{first} and {second}: {problem}")]
    Mismatch {
        /// A manifest.
        first: String,
        /// Another.
        second: String,
        /// Why not.
        problem: String,
    },
}

impl From<ConfigError> for TraceError {
    fn from(error: ConfigError) -> TraceError {
        TraceError::Manifest(Box::new(error))
    }
}

/// Why an activation cannot be evaluated.
#[derive(Debug, Error)]
pub enum EvaluateError {
    /// The trace.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Nothing was recorded for this op and prompt.
    #[error("{trace}: no activation of `{op}` for prompt `{prompt}`")]
    NotRecorded {
        /// The manifest.
        trace: String,
        /// The op.
        op: String,
        /// The prompt.
        prompt: String,
    },
    /// The machine cannot hold the mapping.
    #[error("{}: {}", .0.key, .0.message)]
    Map(#[from] MapError),
    /// The mapper made a program that does not hold its own rules.
    #[error("internal: {0}")]
    Verify(#[from] VerifyError),
    /// The executor refused the inputs.
    #[error("internal: {0}")]
    Execute(#[from] ExecError),
    /// A float64 reference failed.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The executor's vectors do not make factors.
    #[error("internal: {0}")]
    Factors(#[from] FactorsError),
}
