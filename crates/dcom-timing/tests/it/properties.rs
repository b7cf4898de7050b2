//! What holds on any machine for any workload.

use std::cell::Cell;

use dcom_arch::BankPorts;
use dcom_isa::Op;
use dcom_mapper::{Algorithm, map};
use dcom_timing::{Options, TimingError, UnitKind, lower_bound, simulate};
use proptest::prelude::*;

use crate::random::{each_case, machine, workload};

fn fail(e: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(e.to_string())
}

#[test]
fn runs_are_consistent_and_above_the_bound() {
    let (fit, near) = (Cell::new(0), Cell::new(0));
    each_case(2000, |case| {
        let arch = case.machine();
        let Ok(mapped) = map(&arch, &case.workload()) else {
            return Ok(());
        };
        fit.set(fit.get() + 1);
        let program = mapped.program.verify(&arch).map_err(fail)?;
        let run = simulate(&program, Options::default()).map_err(fail)?;
        let summary = run.summary(&program);
        let bound = lower_bound(&program);
        prop_assert!(
            bound.cycles <= summary.cycles,
            "bound {} by {} above {}",
            bound.cycles,
            bound.limiter,
            summary.cycles
        );
        prop_assert_eq!(
            bound.cycles,
            bound
                .units
                .iter()
                .map(|(_, c)| *c)
                .chain([bound.chain])
                .max()
                .expect("a unit")
        );
        // Each unit's bound is at most what these units were busy on average.
        for (kind, work) in &bound.units {
            let shared = *kind == UnitKind::WritePort && arch.bank.ports == BankPorts::Shared;
            let name = if shared { "port" } else { kind.name() };
            let unit = summary.utilization.iter().find(|u| u.unit == name);
            let busy = unit.expect("every unit is there").utilization * summary.cycles as f64;
            prop_assert!(
                *work as f64 <= busy + 1.0,
                "{name}: bound {work} above {busy} busy cycles"
            );
        }
        if bound.cycles * 2 > summary.cycles {
            near.set(near.get() + 1);
        }
        prop_assert_eq!(
            summary.phases.iter().map(|(_, c)| c).sum::<u64>(),
            summary.cycles
        );
        prop_assert_eq!(
            summary.ops.iter().map(|o| o.cycles).sum::<u64>(),
            summary.cycles
        );
        prop_assert_eq!(
            summary.ops.iter().map(|o| o.executed).sum::<u64>(),
            summary.activity.instructions
        );
        for unit in &summary.utilization {
            prop_assert!(
                unit.busiest <= 1.0 && unit.utilization <= unit.busiest,
                "{:?}",
                unit
            );
        }
        prop_assert!(
            run.executed
                .windows(2)
                .all(|pair| pair[0].issue < pair[1].issue),
            "one issue per cycle, in order"
        );
        prop_assert!(run.executed.iter().all(|e| e.issue < e.done && !e.skipped));
        prop_assert_eq!(
            run.executed.last().expect("an instruction").iteration < 12,
            true
        );
        let share: f64 = summary.critical_path.iter().map(|(_, share)| share).sum();
        prop_assert!(
            (share - 1.0).abs() < 1e-9,
            "the critical path sums to {}",
            share
        );

        let again = simulate(&program, Options::default())
            .map_err(fail)?
            .summary(&program);
        prop_assert_eq!(format!("{again:?}"), format!("{summary:?}"));
        Ok(())
    });
    assert!(
        fit.get() > 300 && near.get() > 40,
        "{} fit, {} within a factor of two of the bound",
        fit.get(),
        near.get()
    );
}

/// Every test fails: each prompt runs one, and skips the rest of its vectors in a cycle each.
#[test]
fn a_breakdown_skips_what_follows() {
    let (fit, skipped) = (Cell::new(0), Cell::new(0));
    each_case(400, |case| {
        let (arch, w) = (case.machine(), case.workload());
        // With blocks a failed test drops a vector, and nothing is skipped but its division.
        if matches!(w.algorithm, Algorithm::Block | Algorithm::Randomized) {
            return Ok(());
        }
        let Ok(mapped) = map(&arch, &w) else {
            return Ok(());
        };
        fit.set(fit.get() + 1);
        let program = mapped.program.verify(&arch).map_err(fail)?;
        let tests = vec![false; w.prompts as usize];
        let run = simulate(
            &program,
            Options {
                tests: Some(&tests),
                full: false,
            },
        )
        .map_err(fail)?;
        let instrs = &program.program().instrs;
        for e in &run.executed {
            let guarded = instrs[e.instr as usize].guard.is_some();
            // The first test of a prompt is unguarded; what is guarded comes after it.
            prop_assert_eq!(e.skipped, guarded);
            if e.skipped {
                prop_assert_eq!(e.done.since(e.issue).0, 1);
                skipped.set(skipped.get() + 1);
            }
        }
        let summary = run.summary(&program);
        prop_assert_eq!(
            summary.phases.iter().map(|(_, c)| c).sum::<u64>(),
            summary.cycles
        );
        let executed = |mnemonic| {
            summary
                .ops
                .iter()
                .find(|o| o.op == mnemonic)
                .map_or(0, |o| o.executed - o.skipped)
        };
        prop_assert_eq!(executed("brk"), u64::from(w.prompts));
        let short = simulate(
            &program,
            Options {
                tests: Some(&tests[1..]),
                full: false,
            },
        )
        .err();
        prop_assert_eq!(short, Some(TimingError::TooFewTests(tests.len() - 1)));

        // With outcomes that all pass, nothing changes.
        let all = vec![true; w.prompts as usize * 2 * usize::from(mapped.iterations)];
        let passed = simulate(
            &program,
            Options {
                tests: Some(&all),
                full: false,
            },
        )
        .map_err(fail)?;
        prop_assert_eq!(
            passed.cycles,
            simulate(&program, Options::default()).map_err(fail)?.cycles
        );
        Ok(())
    });
    assert!(
        fit.get() > 40 && skipped.get() > 500,
        "{} fit, {} skipped",
        fit.get(),
        skipped.get()
    );
}

/// Where A streams from memory most of the time, the bound says so and is within 10 % of the run.
#[test]
fn the_bound_is_tight_where_streaming_dominates() {
    for (machine_name, f) in [
        ("dcom-paper", "8"),
        ("dcom-paper", "16"),
        ("dcom-paper", "32"),
    ] {
        let arch = machine::<&str>(machine_name, &[]);
        let w = workload(
            "paper-fig12",
            &[("workload.prompts", "1"), ("mapping.expansion_factor", f)],
        );
        let program = map(&arch, &w)
            .expect("it fits")
            .program
            .verify(&arch)
            .expect("legal");
        let run = simulate(&program, Options::default()).expect("no tests");
        let bound = lower_bound(&program);
        assert!(
            bound.cycles <= run.cycles.0 && run.cycles.0 * 10 <= bound.cycles * 11,
            "f = {f}: {} and {}",
            bound.cycles,
            run.cycles.0
        );
    }
}

/// Windows of their own work side by side: what each instruction would take on the whole machine, rounded up, is no
/// bound for all of them. 65 elements on 4 x 16 lanes are 2 cycles; half the clusters take 3, and two at once.
#[test]
fn small_work_on_separate_windows_is_not_rounded_up_twice() {
    let mut text = String::from(
        "
        .layout l0 len=65 slices=1 clusters=2 first=0 count=1 granule=4 placement=compact reduction=tree
        .layout l1 len=65 slices=1 clusters=2 first=1 count=1 granule=4 placement=compact reduction=tree
        .buffer b0 kind=vector layout=l0 row=0
        .buffer b1 kind=vector layout=l1 row=0
        .bank m0 layout=l0 vectors=1 row=0
        .bank m1 layout=l1 vectors=1 row=0
        in dst=m0[0] host=0
        in dst=m1[0] host=0
        ld dst=b0 src=m0[0]
        ld dst=b1 src=m1[0]
        loop count=200 length=16
        ",
    );
    for register in 0..16 {
        let buffer = register % 2;
        text += &format!("dot dst=r{register} a=b{buffer} b=b{buffer}\n");
    }
    let arch = machine::<&str>("small", &[]);
    let program = dcom_isa::assemble(&text)
        .expect("a program")
        .verify(&arch)
        .expect("legal");
    let (bound, run) = (
        lower_bound(&program).cycles,
        simulate(&program, Options::default()).expect("no tests"),
    );
    assert!(bound <= run.cycles.0, "{bound} above {}", run.cycles.0);
    // 3200 dot products of 65 elements on 64 lanes.
    assert!(bound >= 3200 * 65 / 64, "{bound}");
}

/// Activity of one stream by hand: 7 x 13 on a machine of 4 x 4 lanes.
#[test]
fn activity_counts_what_is_not_masked() {
    // The small machine has 2 x 2 clusters. 7 rows in slices of 3, 3, 1 on one partition of two clusters each: one block
    // per slice, three rounds, so that 2 clusters hold 3 blocks. 13 columns: 4 tile positions.
    let text = "
        .layout l0 len=7 slices=3 clusters=2 first=0 count=1 granule=4 placement=compact reduction=tree
        .layout l1 len=13 slices=1 clusters=2 first=0 count=1 granule=4 placement=compact reduction=tree
        .matrix a0 rows=7 columns=13 store=memory
        .buffer b0 kind=vector layout=l0 row=0
        .buffer b1 kind=full n=13 layout=l0 row=1
        .buffer b2 kind=partial n=13 layout=l0 row=2
        .buffer b3 kind=vector layout=l1 row=6
        ingest matrix=a0 prompt=0 stride=0
        ldi dst=s0 value=0
        start dst=b3 matrix=a0 kind=ones exponent=s0 shift=0
        gather dst=b1 src=b3 start=0
    ";
    let arch = machine::<&str>("small", &[]);
    let activity = |more: &str| {
        let program = assemble_and_verify(&format!("{text}{more}"), &arch);
        simulate(&program, Options::default())
            .expect("no tests")
            .activity()
    };
    let before = activity("");
    let along = "mvn matrix=a0 axis=rows x=b1 y=b0 first_tile=0 end_tile=4 add=false exponent=s0\n";
    let one = activity(along);
    // 91 products, 7 sums of 13. Every block reads the whole strip of x, every element of y is written once.
    assert_eq!(one.multiplications - before.multiplications, 91);
    assert_eq!(one.additions - before.additions, 7 * 12);
    assert_eq!(
        one.buffer_read_elements - before.buffer_read_elements,
        3 * 13
    );
    assert_eq!(one.buffer_write_elements - before.buffer_write_elements, 7);
    assert_eq!(one.memory_read_bytes - before.memory_read_bytes, 182);
    let two = activity(&format!(
        "{along}mvt matrix=a0 axis=rows x=b0 y=b2 first_tile=0 end_tile=4 add=false exponent=s0\n"
    ));
    // 91 products; 2 clusters have a sum of their own for each of 13 columns. x is read once; every block but a cluster's
    // first (one) reads the sums, every block writes them, two fp16 elements each.
    assert_eq!(two.multiplications - one.multiplications, 91);
    assert_eq!(two.additions - one.additions, 13 * (7 - 2));
    assert_eq!(
        two.buffer_read_elements - one.buffer_read_elements,
        7 + 2 * 13
    );
    assert_eq!(
        two.buffer_write_elements - one.buffer_write_elements,
        2 * 13 * 3
    );
}

fn assemble_and_verify<'a>(text: &str, arch: &'a dcom_arch::Arch) -> dcom_isa::Verified<'a> {
    let program = dcom_isa::assemble(text).expect("a program");
    assert!(
        program
            .instrs
            .iter()
            .all(|i| !matches!(i.op, Op::Loop { .. })),
        "each instruction once"
    );
    program.verify(arch).expect("legal")
}
