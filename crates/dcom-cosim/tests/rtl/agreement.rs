//! Programs that must be equal to the bit and to the cycle.

use dcom_cosim::{Build, Case, Random, Values, WORKLOADS, Wishes, campaign};

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

/// An op that the RTL lacks must not run on it and leave what it leaves: `mvnt` is the only one.
#[test]
fn what_the_rtl_does_not_have_is_refused() {
    let build = &Build::all()[0];
    let mut refused = 0;
    for seed in 0..20 {
        let wishes = Wishes {
            values: Values::Tame,
            sizes: [9, 7],
            both: true,
        };
        let case = Case::wished(&build.arch, &mut Random::new(seed), wishes);
        let has_it = case.program.to_string().contains("mvnt");
        if let Ok(program) = case.program.verify(&build.arch) {
            let room = build.room_for(&program);
            assert_eq!(room.is_err(), has_it, "seed {seed}: {room:?}");
            refused += u64::from(has_it);
        }
    }
    assert!(refused > 0, "no program of the seeds has the op");
}
