//! The RTL of `rtl/` in Verilator, to be compared with the models: bits with `dcom-exec` and `dcom-fp`, cycles with
//! `dcom-timing`.
//!
//! Two benches: the whole machine (`rtl/tb/dcom_tb`), which runs verified programs, and its arithmetic units alone (`rtl/tb/fp_units_tb`). To be read
//! in this order: `build` and `package` (the machines), `verilator` (building a bench), `case` (one program), `compare` (its values) and
//! `schedule` (its time), `check` (what differs, and where first), `random` and `lanczos` (programs), `campaign` (many of them), `coverage`
//! (what they contain); `units` for the units.

mod build;
mod campaign;
mod case;
mod check;
mod coverage;
mod lanczos;
mod package;
mod units;
mod values;
mod verilator;

mod compare;
mod random;
mod schedule;
mod speed;

pub use build::Build;
pub use campaign::{Kind, PerKind, Tally, TrialError, campaign, trial};
pub use case::{Data, Left, Run};
pub use check::{Case, CheckError};
pub use compare::{Compared, Divergence};
pub use coverage::Coverage;
pub use lanczos::{WORKLOADS, WorkloadError, decompositions};
pub use package::{Room, package};
pub use random::Wishes;
pub use schedule::{Activity, Issued, Planned};
pub use speed::Speed;
pub use units::{Pair, Quotient, Results};
pub use values::{Random, Values};
pub use verilator::{Bench, CosimError, Verilator};
