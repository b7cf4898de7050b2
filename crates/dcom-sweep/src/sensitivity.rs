//! For which machines do the paper's C4 (f = 8 is best) and C5 (speed-up 6.2) hold?
//!
//! Everything that the paper leaves open is varied over its plausible range ([`Ranges`]), one parameter at a time and
//! jointly ([`Study`]); each machine is evaluated at every factor of Fig. 12, as the paper couples factor and
//! clusters and with the engaged clusters held fixed. The report says in what share of machines the claims hold and
//! which parameters decide.

mod draw;
mod figures;
mod ranges;
mod report;
mod stats;
mod tables;

pub use draw::{Alone, Coupling, Outcome, Population, Refusal, Sample, Scope, Study};
pub use ranges::{Parameter, Ranges, RangesError, Values};
pub use stats::{Share, rank_correlation, variance_share};
pub use tables::Decider;
