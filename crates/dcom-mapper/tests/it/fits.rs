//! Whatever is asked for, the mapper writes a program that verifies, or names the parameter that stands in the way.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use dcom_arch::ArchParams;
use dcom_isa::{BufferKind, Op, Store};
use dcom_mapper::{WorkloadParams, map};
use proptest::prelude::*;

use crate::random::{each_case, machine, workload};

fn is_a_key(key: &str) -> bool {
    ArchParams::keys()
        .iter()
        .chain(WorkloadParams::keys())
        .any(|k| k.path == key)
}

#[test]
fn mapped_programs_verify_and_errors_name_a_parameter() {
    let fit = Cell::new(0);
    let seen = RefCell::new(BTreeSet::new());
    each_case(3000, |case| {
        let (arch, w) = (case.machine(), case.workload());
        match map(&arch, &w) {
            Ok(mapped) => {
                fit.set(fit.get() + 1);
                note(&mapped.program, &mut seen.borrow_mut());
                let k = w.iterations.min(w.rows).min(w.columns);
                prop_assert_eq!(
                    (u32::from(mapped.iterations), u32::from(mapped.rank)),
                    (k, w.rank.min(k))
                );
                mapped
                    .program
                    .verify(&arch)
                    .map_err(|e| TestCaseError::fail(format!("does not verify: {e}")))?;
            }
            Err(error) => {
                seen.borrow_mut().insert(error.key);
                prop_assert!(is_a_key(error.key), "{}: {}", error.key, error);
                prop_assert!(!error.message.is_empty());
            }
        }
        Ok(())
    });
    assert!(fit.get() > 450, "only {} of 3000 fit", fit.get());
    // What the random cases must have come across, to mean anything.
    let expected = [
        "strips",
        "wide",
        "partial",
        "csum",
        "tiles",
        "triangular",
        "both products",
        "loop",
        "memory",
        "banks",
        "both",
        "channels",
        "bank.capacity_bytes",
        "broadcast.capacity_words",
        "cluster.buffer_bytes",
        "mapping.clusters_per_partition",
        "mapping.gram_schmidt_passes",
        "mapping.product_banks",
        "mapping.prompts_in_flight",
        "memory.capacity_bytes",
        "scalar.registers",
        "sequencer.bank_vectors",
        "sequencer.buffer_regions",
        "sequencer.global_regions",
        "sequencer.layouts",
        "sequencer.partial_registers",
        "sequencer.predicates",
    ];
    let missing: Vec<_> = expected
        .into_iter()
        .filter(|e| !seen.borrow().contains(e))
        .collect();
    assert!(
        missing.is_empty(),
        "never seen: {missing:?} in {:?}",
        seen.borrow()
    );
}

/// What is special about a program.
fn note(program: &dcom_isa::Program, seen: &mut BTreeSet<&'static str>) {
    for matrix in &program.matrices {
        seen.insert(match matrix.store {
            Store::Memory => "memory",
            Store::Banks { .. } => "banks",
            Store::BanksBoth { .. } => "both",
        });
    }
    for buffer in &program.buffers {
        match buffer.kind {
            BufferKind::Wide => seen.insert("wide"),
            BufferKind::Partial(_) => seen.insert("partial"),
            _ => false,
        };
    }
    for instr in &program.instrs {
        match instr.op {
            Op::MvN {
                first_tile: 1.., ..
            } => seen.insert("strips"),
            Op::CSum { .. } => seen.insert("csum"),
            Op::LdT {
                first_tile: 1.., ..
            } => seen.insert("tiles"),
            Op::TSvd { .. } => seen.insert("triangular"),
            Op::Loop { .. } => seen.insert("loop"),
            _ => false,
        };
    }
    let both = program
        .instrs
        .windows(4)
        .any(|ops| matches!(ops[0].op, Op::PReduce { .. }) && matches!(ops[3].op, Op::TMvT { .. }));
    if both {
        seen.insert("both products");
    }
    if program.channels > 1 {
        seen.insert("channels");
    }
}

/// The machines and workloads of `configs` that are meant for each other.
#[test]
fn the_configurations_fit() {
    let fits = [
        ("dcom-paper", "paper-fig12"),
        ("dcom-paper", "paper-table2"),
        ("dcom-paper", "llama2-7b"),
        ("dcom-8x8", "paper-fig12"),
        ("dcom-8x8", "llama2-7b"),
        ("resident-wide", "paper-fig12"),
        ("resident-wide", "paper-table2"),
    ];
    for (m, w) in fits {
        let arch = machine::<&str>(m, &[]);
        let keep: &[(&str, &str)] = if m == "resident-wide" {
            &[("mapping.residency", "resident")]
        } else {
            &[]
        };
        let mapped = map(&arch, &workload(w, keep)).unwrap_or_else(|e| panic!("{w} on {m}: {e}"));
        mapped
            .program
            .verify(&arch)
            .unwrap_or_else(|e| panic!("{w} on {m}: {e}"));
    }
}

/// Both cuts of both matrices at once, as `configs/arch/resident-wide.toml` promises.
#[test]
fn resident_wide_holds_both_matrices() {
    let arch = machine::<&str>("resident-wide", &[]);
    let beats = |w: &str| {
        let mapped =
            map(&arch, &workload(w, &[("mapping.residency", "resident")])).expect("it fits");
        let stacks: u64 = mapped
            .program
            .banks
            .iter()
            .map(|b| u64::from(b.row))
            .max()
            .expect("a stack");
        // Stacks follow the matrix.
        let Store::BanksBoth {
            rows_row,
            columns_row,
            ..
        } = mapped.program.matrices[0].store
        else {
            panic!("both cuts")
        };
        let first = mapped
            .program
            .banks
            .iter()
            .map(|b| b.row)
            .min()
            .expect("a stack");
        assert!(rows_row.max(columns_row) < first && stacks < arch.bank_rows());
        u64::from(first)
    };
    assert!(beats("paper-fig12") + beats("paper-table2") < arch.bank_rows() * 3 / 4);
}

/// 64 prompts of 512 vectors and four passes, twice in the program: 5 x 512 x 512 x 4 + 40 x 512 instructions each.
#[test]
fn a_program_too_long_is_refused_before_it_is_made() {
    let set = [
        ("workload.prompts", "65"),
        ("workload.iterations", "512"),
        ("mapping.gram_schmidt_passes", "4"),
        ("mapping.prompts_in_flight", "64"),
    ];
    let error = map(
        &machine::<&str>("dcom-paper", &[]),
        &workload("paper-fig12", &set),
    );
    let error = error.expect_err("too long");
    assert_eq!(error.key, "workload.iterations");
    assert!(error.message.contains("673710080 instructions"), "{error}");
}
