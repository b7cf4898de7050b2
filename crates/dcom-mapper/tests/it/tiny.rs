//! The number of instructions of each op, by hand.

use std::collections::BTreeMap;

use dcom_mapper::map;

use crate::random::{machine, workload};

fn counts(set: &[(&str, &str)]) -> BTreeMap<&'static str, usize> {
    let arch = machine(
        "small",
        &[
            ("cluster.buffer_bytes", "16384"),
            ("broadcast.capacity_words", "4096"),
        ],
    );
    let mut all = vec![
        ("workload.rows", "12"),
        ("workload.columns", "16"),
        ("workload.prompts", "1"),
        ("workload.iterations", "3"),
        ("workload.rank", "2"),
        ("mapping.clusters_per_partition", "1"),
        ("mapping.expansion_factor", "4"),
    ];
    all.extend_from_slice(set);
    let mapped = map(&arch, &workload("paper-fig12", &all)).expect("it fits");
    let mut counts = BTreeMap::new();
    for instr in &mapped.program.instrs {
        *counts.entry(instr.op.mnemonic()).or_default() += 1;
    }
    counts
}

fn map_of(expected: &[(&'static str, usize)]) -> BTreeMap<&'static str, usize> {
    expected.iter().copied().collect()
}

/// K = 3, r = 2, modified Gram-Schmidt without the three-term recurrence. Vectors: v_0 .. v_2, u_0 .. u_2. u_j is made
/// orthogonal to j vectors, v_j to j: 2 x (0 + 1 + 2) = 6 corrections. 6 norms.
#[test]
fn three_iterations() {
    let expected = [
        ("ingest", 1),
        // Predicate; one = 1, and the norm that scaling aims at.
        ("clr", 1),
        ("ldi", 2),
        ("stat", 1),
        // Of the sum of squares, and of each norm.
        ("sqrt", 1 + 6),
        ("log2", 1),
        // The scale of A, and 1 / norm.
        ("div", 1 + 6),
        ("start", 1),
        // A v_j for u_0 .. u_2, A^T u_j for v_1 and v_2, each with the gather of its input.
        ("mvn", 3),
        ("mvt", 2),
        ("gather", 5),
        // Corrections and norms.
        ("ld", 6),
        ("dot", 6 + 6),
        ("puth", 6),
        ("putw", 6),
        ("corr", 6),
        ("sum", 6),
        // Every norm but that of the start vector.
        ("max", 5),
        ("brk", 5),
        ("sbc", 6),
        ("scale", 6),
        // Coefficients of corrections, and of 2 x r columns of the factors.
        ("bc", 6 + 4),
        ("svd", 1),
        ("comb", 4),
        ("out", 4),
        // Basis vectors and factor columns.
        ("st", 6 + 4),
    ];
    assert_eq!(counts(&[]), map_of(&expected));
}

/// What each knob changes.
#[test]
fn knobs() {
    let base = counts(&[]);
    let changed = |set: &[(&str, &str)]| {
        let now = counts(set);
        let ops: std::collections::BTreeSet<_> = base.keys().chain(now.keys()).copied().collect();
        let count = |c: &BTreeMap<&'static str, usize>, op| c.get(op).copied().unwrap_or(0);
        ops.into_iter()
            .map(|op| (op, count(&base, op), count(&now, op)))
            .filter(|(_, a, b)| a != b)
            .collect::<Vec<_>>()
    };
    // All dot products before all corrections: every vector is loaded twice.
    assert_eq!(
        changed(&[("mapping.gram_schmidt", "classical")]),
        [("ld", 6, 12)]
    );
    // The second pass loads, multiplies and corrects again.
    assert_eq!(
        changed(&[("mapping.gram_schmidt_passes", "2")]),
        [
            ("bc", 10, 16),
            ("corr", 6, 12),
            ("dot", 12, 18),
            ("ld", 6, 12),
            ("puth", 6, 12)
        ]
    );
    // One axpy with a scalar for u_1, u_2, v_1, v_2.
    assert_eq!(
        changed(&[("mapping.three_term", "true")]),
        [("axpy", 0, 4), ("sbc", 6, 10)]
    );
    // The three-term recurrence alone.
    assert_eq!(
        changed(&[
            ("mapping.three_term", "true"),
            ("mapping.gram_schmidt_passes", "0")
        ]),
        [
            ("axpy", 0, 4),
            ("bc", 10, 4),
            ("corr", 6, 0),
            ("dot", 12, 6),
            ("ld", 6, 0),
            ("puth", 6, 0),
            ("sbc", 6, 10)
        ]
    );
    assert_eq!(
        changed(&[("mapping.partial_sums", "sum_first")]),
        [("axpy", 0, 6), ("corr", 6, 0), ("csum", 0, 6)]
    );
    // With one partial sum there is nothing to expand or to sum.
    assert_eq!(
        changed(&[("mapping.expansion_factor", "1")]),
        [("axpy", 0, 6), ("corr", 6, 0)]
    );
    assert_eq!(
        changed(&[
            ("mapping.expansion_factor", "1"),
            ("mapping.partial_sums", "sum_first")
        ]),
        [("axpy", 0, 6), ("corr", 6, 0)]
    );
    // exponent = 0 instead of stat, sqrt, norm, div, log2.
    assert_eq!(
        changed(&[("workload.scale_input", "false")]),
        [
            ("div", 7, 6),
            ("log2", 1, 0),
            ("sqrt", 7, 6),
            ("stat", 1, 0)
        ]
    );
    assert_eq!(
        changed(&[("mapping.product", "reduce")]),
        [("gather", 5, 2), ("greduce", 0, 3), ("preduce", 0, 3)]
    );
    assert_eq!(
        changed(&[("mapping.transposed_product", "reduce")]),
        [("gather", 5, 3), ("greduce", 0, 2), ("preduce", 0, 2)]
    );
    // Every product's result goes from the layout of the products to that of the bases.
    assert_eq!(
        changed(&[("mapping.product_banks", "2")]),
        [("gather", 5, 10)]
    );
    for (key, value) in [
        ("mapping.prefetch", "0"),
        ("mapping.prefetch", "3"),
        ("mapping.placement", "spread"),
        ("mapping.reduction", "chain"),
        ("mapping.residency", "resident"),
        ("workload.start", "signs"),
    ] {
        assert_eq!(changed(&[(key, value)]), [], "{key} = {value}");
    }
}
