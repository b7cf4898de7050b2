//! ITERA-LLM (arXiv 2505.08981): weights as sums of rank-1 terms with quantized factors, and what that buys on hardware.
//!
//! A linear layer y = x W^T becomes two small ones, (x R^T) L^T, with W = L R. This crate has the number formats, the three
//! ways to a smaller weight (quantization only, SVD and then quantization, ITERA), the distribution of ranks over layers, and a
//! model of the machine that multiplies them. Weights are rows = outputs, columns = inputs.
//!
//! Reading order: [`Element`] (what a code means), [`Format`] and [`quantize`] (how vectors are scaled), [`itera`] (the
//! algorithm), then `leading` (its power iteration).

mod element;
mod error;
mod format;
mod quantize;

mod leading;
mod matrix;
mod svd;

mod decompose;

mod allocate;

mod estimate;
mod machine;
mod pe;
mod search;

mod output;
mod study;

mod report;

pub use allocate::{LayerCurve, allocate};
pub use decompose::{
    Decomposition, Options, Progress, Term, factor_bits, itera, quantize_weight, relative_error,
    svd_then_quantize, weight_bits,
};
pub use element::{Element, Overflow};
pub use error::IteraError;
pub use estimate::Estimate;
pub use format::{BLOCK, Format, Scaling};
pub use machine::{Layer, Machine, Run, Stored};
pub use matrix::Weight;
pub use pe::{Cost, activation_format, processing_element};
pub use quantize::{Block, decode_block, encode_block, quantize};
pub use report::{PAPER_REDUCTION, Report};
pub use search::{
    Comparison, Design, FormatCurve, Limits, Setting, designs, fastest, pareto_front,
};
pub use study::{
    AREAS_MM2, Allocation, EqualStorage, FormatErrors, Front, LatencyRow, LayerStudy, Measure,
    REGIMES, Regime, Subject, allocations, best_savings,
};
pub use svd::Svd;
