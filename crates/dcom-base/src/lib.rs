//! Units and small integer arithmetic that every other crate of the workspace shares.
//!
//! Knows nothing of machines or programs.

mod time;
mod whole;

pub use time::{Cycle, Cycles};
pub use whole::{Rate, ceil_div, log2_ceil};
