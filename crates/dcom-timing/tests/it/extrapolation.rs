//! Leaving out iterations whose state repeats gives what simulating them all gives.

use std::cell::Cell;

use dcom_isa::{Op, Verified, assemble};
use dcom_mapper::map;
use dcom_timing::{Options, Run, simulate};
use proptest::prelude::*;

use crate::random::{each_case, machine, workload};

const FULL: Options<'static> = Options {
    tests: None,
    full: true,
};

/// All that a summary says, but for the method and the critical path of what was simulated.
fn account(run: &Run, program: &Verified<'_>) -> serde_json::Value {
    let mut all = serde_json::to_value(run.summary(program)).expect("a summary is JSON");
    let fields = all.as_object_mut().expect("an object");
    for name in ["method", "critical_path", "bottleneck"] {
        fields.remove(name).expect("a field of the summary");
    }
    all
}

#[test]
fn extrapolated_runs_equal_full_ones() {
    let (fit, extrapolated, tails) = (Cell::new(0), Cell::new(0), Cell::new(0));
    each_case(600, |case| {
        let arch = case.machine();
        let Ok(mapped) = map(&arch, &case.workload()) else {
            return Ok(());
        };
        fit.set(fit.get() + 1);
        let program = mapped
            .program
            .verify(&arch)
            .map_err(|e| TestCaseError::fail(e.to_string()))?;
        let full = simulate(&program, FULL).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let quick = simulate(&program, Options::default())
            .map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(full.extrapolated_iterations, 0);
        prop_assert_eq!(quick.cycles, full.cycles);
        prop_assert_eq!(account(&quick, &program), account(&full, &program));
        let instrs = &program.program().instrs;
        if quick.extrapolated_iterations > 0 {
            extrapolated.set(extrapolated.get() + 1);
            // What comes after the loop happens at the same time.
            let ends = instrs
                .iter()
                .enumerate()
                .filter_map(|(i, instr)| match instr.op {
                    Op::Loop { length, .. } => Some(i + 1 + length as usize),
                    _ => None,
                });
            let end = ends.max().expect("there is a loop");
            let tail = |run: &Run| {
                run.executed
                    .iter()
                    .filter(|e| e.instr as usize >= end)
                    .map(|e| (e.instr, e.issue, e.done))
                    .collect::<Vec<_>>()
            };
            prop_assert_eq!(tail(&quick), tail(&full));
            if end < instrs.len() {
                tails.set(tails.get() + 1);
            }
        }
        Ok(())
    });
    let (fit, extrapolated, tails) = (fit.get(), extrapolated.get(), tails.get());
    assert!(
        fit > 80 && extrapolated > 30 && tails > 10,
        "{fit} fit, {extrapolated} extrapolated, {tails} with a tail"
    );
}

/// A `bar` after a loop waits for the last instruction of an iteration that was not simulated.
#[test]
fn a_bar_after_an_extrapolated_loop() {
    let text = "
        .layout l0 len=16 slices=1 clusters=4 first=0 count=1 granule=4 placement=compact reduction=tree
        .bank m0 layout=l0 vectors=2 row=0
        .buffer b0 kind=vector layout=l0 row=0
        in dst=m0[0] host=0
        loop count=100 length=3
        ld dst=b0 src=m0[0]
        st dst=m0[1] src=b0
        ldi dst=s0 value=1
        bar
        ldi dst=s0 value=2
    ";
    let arch = machine::<&str>("small", &[]);
    let program = assemble(text)
        .expect("a program")
        .verify(&arch)
        .expect("legal");
    let full = simulate(&program, FULL).expect("no tests");
    let quick = simulate(&program, Options::default()).expect("no tests");
    assert!(
        quick.extrapolated_iterations > 90,
        "{}",
        quick.extrapolated_iterations
    );
    let last = |run: &Run| {
        run.executed
            .iter()
            .rev()
            .take(2)
            .map(|e| (e.issue, e.done))
            .collect::<Vec<_>>()
    };
    assert_eq!((quick.cycles, last(&quick)), (full.cycles, last(&full)));
    assert_eq!(account(&quick, &program), account(&full, &program));
}

/// A result on its way to the host, for which nothing waits, ends after many iterations of a loop: until then they do not
/// move the end of the run.
#[test]
fn the_end_of_the_run_is_part_of_the_state() {
    let text = "
        .layout l0 len=16 slices=1 clusters=4 first=0 count=1 granule=4 placement=compact reduction=tree
        .matrix a0 rows=16 columns=16 store=memory
        .bank m0 layout=l0 vectors=2 row=0
        .buffer b0 kind=vector layout=l0 row=0
        ingest matrix=a0 prompt=0 stride=0
        in dst=m0[0] host=0
        bar
        out matrix=a0 side=u index=0 src=m0[0]
        loop count=300 length=2
        ld dst=b0 src=m0[0]
        st dst=m0[1] src=b0
    ";
    let arch = machine("small", &[("link.latency_cycles", "1000")]);
    let program = assemble(text)
        .expect("a program")
        .verify(&arch)
        .expect("legal");
    let full = simulate(&program, FULL).expect("no tests");
    let quick = simulate(&program, Options::default()).expect("no tests");
    assert!(
        quick.extrapolated_iterations > 100,
        "{}",
        quick.extrapolated_iterations
    );
    assert_eq!(account(&quick, &program), account(&full, &program));
}

/// The critical path of a long batch does not depend on how much of it is simulated, but for what prompts at the ends
/// have of their own.
#[test]
fn the_critical_path_is_that_of_the_full_run() {
    let arch = machine::<&str>("dcom-paper", &[]);
    let set = [
        ("mapping.overlap_ingest", "true"),
        ("workload.prompts", "33"),
        ("workload.rows", "1024"),
    ];
    let program = map(&arch, &workload("paper-fig12", &set))
        .expect("it fits")
        .program
        .verify(&arch)
        .expect("legal");
    let full = simulate(&program, FULL)
        .expect("no tests")
        .summary(&program);
    let run = simulate(&program, Options::default()).expect("no tests");
    assert!(run.extrapolated_iterations > 5);
    let quick = run.summary(&program);
    assert_eq!(quick.bottleneck, full.bottleneck);
    for summary in [&full, &quick] {
        let sum: f64 = summary.critical_path.iter().map(|(_, share)| share).sum();
        assert!((sum - 1.0).abs() < 1e-9, "shares sum to {sum}");
    }
    for (name, share) in &full.critical_path {
        let here = quick
            .critical_path
            .iter()
            .find(|(n, _)| n == name)
            .map_or(0.0, |(_, share)| *share);
        // The run has 33 prompts, the simulated part at least 5.
        assert!(
            (here - share).abs() < 0.05,
            "{name}: {here} instead of {share}"
        );
    }
}
