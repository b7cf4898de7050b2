//! The timing model: a verified program, instruction by instruction, over contended units.
//!
//! Knows no values. Every rule is in `docs/machine.md`, section 3; each latency has its one
//! definition in `dcom-arch` and its one use in [`plan`](self), from which the analytic bound takes
//! its work as well.

mod unit;
mod resource;
mod activity;
mod plan;
mod cost;
mod engine;
mod bound;
mod summary;
mod timeline;

pub use activity::Activity;
pub use bound::{LowerBound, lower_bound};
pub use engine::{Executed, Options, Run, TimingError, simulate};
pub use summary::{OpClassCycles, Summary, UnitUse};
pub use timeline::write_timeline;
pub use unit::UnitKind;
