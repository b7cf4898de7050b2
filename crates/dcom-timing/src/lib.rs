//! The timing model: a verified program, instruction by instruction, over contended units.
//!
//! Knows no values. Every rule is in `docs/machine.md`, section 3; each latency has its one
//! definition in `dcom-arch` and its one use in [`plan`](self), from which the analytic bound takes
//! its work as well.

mod activity;
mod bound;
mod cost;
mod engine;
mod job;
mod operands;
mod plan;
mod resource;
mod summary;
mod timeline;
mod unit;

pub use activity::Activity;
pub use bound::{LowerBound, lower_bound};
pub use engine::{Executed, Options, Reservation, Run, TimingError, simulate};
pub use plan::Rates;
pub use summary::{OpClassCycles, Summary, UnitUse};
pub use timeline::write_timeline;
pub use unit::UnitKind;
