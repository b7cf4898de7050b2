//! The RTL of `rtl/` in Verilator, to be compared with the models: bits with `dcom-fp`, cycles with
//! `dcom-timing`.
//!
//! Builds and runs the test benches of `rtl/tb`; what is right is for the tests to say. To be read in
//! this order: `verilator` (building a bench), `units` (the arithmetic), `cluster` (programs on one
//! cluster).

mod case;
mod cluster;
mod package;
mod units;
mod verilator;

pub mod compare;
pub mod random;

pub use case::{Data, Issued, Left, Run};
pub use cluster::{Geometry, Observed, Op, Partial, Program};
pub use package::{Room, package};
pub use units::{LATENCY, Pair, Results};
pub use verilator::{Bench, CosimError, Verilator};
