//! Integration tests of the timing model.

mod exact;
mod extrapolation;
mod properties;
// One generator of machines and workloads for both crates.
#[path = "../../../dcom-mapper/tests/it/random.rs"]
mod random;
