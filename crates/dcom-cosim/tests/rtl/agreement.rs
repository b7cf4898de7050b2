//! Programs that must be equal to the bit and to the cycle.

use dcom_cosim::{Build, campaign, decompositions};

use crate::{bench, verilator};

/// Random programs of either kind per build; `cargo xtask rtl --random` runs more.
pub(crate) const PROGRAMS: u64 = 20;

/// Seeds for them: workloads of random sizes often find no room.
pub(crate) const SEEDS: u64 = 400;

#[test]
fn decompositions_are_equal() {
    let Some(verilator) = verilator() else {
        return;
    };
    for (turn, build) in Build::all().iter().enumerate() {
        let bench = bench(&verilator, build);
        for (name, case) in decompositions(&build.arch, turn) {
            let case = case.unwrap_or_else(|e| panic!("{}: {e}", build.name));
            let compared = bench
                .check(build, &case)
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
        let tally = campaign(&build, &bench, 0..SEEDS, PROGRAMS);
        assert_eq!(tally.different, [], "{}", build.name);
        assert!(
            tally.equal.iter().all(|&n| n >= PROGRAMS),
            "{}: {:?} of the two kinds, there was no room for {:?}",
            build.name,
            tally.equal,
            tally.no_room
        );
    }
}
