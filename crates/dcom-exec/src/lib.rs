//! The bit-exact executor: what a verified program computes, without time.
//!
//! [`execute`] runs a program on prompts and returns the factors; the semantics are section 2 of `docs/machine.md`.
//! Vectors are kept in logical order, because a verified program uses one layout per region; where a sum depends on
//! which cluster holds which element, `deal` supplies the order. Every sum has one order, fixed by the layout alone, so
//! results do not depend on the number of threads.
//!
//! The timing model needs one thing from here, [`BreakdownTrace`]; the two crates do not know each other.

mod error;
mod outcome;
mod state;

mod machine;
mod provenance;

mod coefficients;
mod deal;
mod resident;
mod scalar;
mod statistics;
mod stream;
mod svd;
mod vector;

pub use error::ExecError;
pub use machine::{execute, execute_with_state};
pub use outcome::{BreakdownTrace, Coefficients, Outcome, PromptResult};
pub use state::{Loaded, Predicate, State, Strip};
