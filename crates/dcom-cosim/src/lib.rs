//! The RTL of `rtl/` in Verilator, to be compared with the models: bits with `dcom-fp`, cycles with
//! `dcom-timing`.
//!
//! Builds and runs the test benches of `rtl/tb`; what is right is for the tests to say. To be read in
//! this order: `verilator` (building a bench), `units` (the arithmetic), `cluster` (programs on one
//! cluster).

mod build;
mod campaign;
mod case;
mod check;
mod cluster;
mod lanczos;
mod package;
mod units;
mod verilator;

mod compare;
mod random;
mod speed;

pub use build::Build;
pub use campaign::{Tally, campaign, case};
pub use case::{Data, Issued, Left, Run};
pub use check::{Case, CheckError};
pub use cluster::{Geometry, Observed, Op, Partial, Program};
pub use compare::{Compared, Divergence};
pub use lanczos::WORKLOADS;
pub use package::{Room, package};
pub use random::{Random, Values};
pub use speed::Speed;
pub use units::{LATENCY, Pair, Results};
pub use verilator::{Bench, CosimError, Verilator};
