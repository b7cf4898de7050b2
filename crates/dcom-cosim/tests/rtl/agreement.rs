//! Programs that must be equal to the bit and to the cycle.

use dcom_cosim::{Build, Case, Values, WORKLOADS, campaign};

use crate::{bench, verilator};

/// Random programs per build; `cargo xtask rtl --random` runs more.
const PROGRAMS: u64 = 40;

#[test]
fn decompositions_are_equal() {
    let Some(verilator) = verilator() else {
        return;
    };
    for build in Build::all() {
        let bench = bench(&verilator, &build);
        for (name, workload) in WORKLOADS {
            let case = Case::lanczos(&build.arch, name, workload, Values::Tame, 1)
                .unwrap_or_else(|e| panic!("{}: {e}", build.name));
            let compared = bench
                .check(&build, &case)
                .unwrap_or_else(|e| panic!("{}, {name}: {e}", build.name));
            // Alphas and betas, at least: the comparison has something to compare.
            assert!(compared.instructions > 100 && compared.values > 400);
        }
    }
}

/// Half of the seeds are instructions at random, half random workloads.
#[test]
fn random_programs_are_equal() {
    let Some(verilator) = verilator() else {
        return;
    };
    for build in Build::all() {
        let bench = bench(&verilator, &build);
        let tally = campaign(&build, &bench, 0..10 * PROGRAMS, PROGRAMS);
        assert_eq!(tally.different, [], "{}", build.name);
        assert!(
            tally.equal >= PROGRAMS,
            "{}: only {} of the seeds fit",
            build.name,
            tally.equal
        );
    }
}
