//! Recorded layer traces: what one decoder layer did with some prompts.
//!
//! A trace is a folder with a `manifest.toml` and safetensors files; `docs/traces.md` defines it. [`Trace::read`] checks
//! all of the manifest and the headers of all files, [`Trace::check_values`] every value, one tensor at a time; only then
//! should anything be computed from it. Upon the tensors stand the calibration of outlier thresholds ([`calibrate`],
//! section 4 of the paper) and the evaluation of reconstructions ([`evaluate`]).
//!
//! Files are untrusted: nothing outside of the trace's folder is opened, and sizes are compared with the length of a file
//! before anything is allocated.

mod error;

mod op;
mod shape;
mod trace;

mod files;
mod graph;
mod reader;
mod writer;

mod llama;

mod outliers;

mod calibrate;
mod calibration_file;

mod decompose;
mod evaluate;

pub use calibrate::{CalibrateOptions, Calibrated, calibrate};
pub use calibration_file::{Calibration, LayerOutliers};
pub use decompose::{Decomposer, Decomposition, MAX_ITERATIONS, MORE_ITERATIONS, Sizes, run};
pub use error::{EvaluateError, TraceError};
pub use evaluate::{Kept, OutputErrors, Reconstruction, Request, Track, evaluate};
pub use files::MANIFEST;
pub use llama::{LayerShape, decoder_layer, recorded_layer};
pub use op::{Kind, Op, OpId};
pub use outliers::{OutlierRule, without_channels};
pub use shape::{Dim, Dtype, Shape};
pub use trace::{
    FORMAT, Model, Of, Prompt, PromptId, Recording, Run, Tensor, Trace, model_shape_keys,
};
