//! What the random programs of `agreement` contain. Needs no Verilator.

use std::collections::BTreeSet;

use dcom_cosim::{Build, Coverage};

use crate::agreement::{PROGRAMS, SEEDS};

#[test]
fn everything_that_can_occur_does() {
    let mut coverage = Coverage::default();
    for build in Build::all() {
        let of = Coverage::of(&build, 0..SEEDS, PROGRAMS);
        coverage.join(of.unwrap_or_else(|e| panic!("{}: {e}", build.name)));
    }
    assert_eq!(coverage.missing(), BTreeSet::new(), "\n{coverage}");
}
