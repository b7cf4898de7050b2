//! Singular values and best-rank errors: stored references, and the two methods against each other.

use std::path::Path;

use dcom_reference::synthetic::{Variant, llama_like};
use dcom_reference::{Dense, Method, best_rank_errors, block_lanczos_errors, singular_values};
use dcom_tensor::Matrix;
use half::f16;

use crate::support::{cases, floats, on_threads, random_matrix};

#[test]
fn stored_singular_values_and_best_errors_are_reproduced() {
    for case in cases() {
        let expected = floats(&case.reference["singular_values"]);
        let found = singular_values(case.matrix.clone()).unwrap();
        for (i, (x, y)) in found.iter().zip(&expected).enumerate() {
            // The stated backward error of the SVD.
            let tolerance = best_rank_errors(case.matrix.clone(), &[])
                .unwrap()
                .residual_bound
                * expected[0];
            assert!(
                (x - y).abs() <= tolerance,
                "{}: sigma {i} is {x}, expected {y}",
                case.name
            );
        }
        for (rank, expected) in case.reference["eckart_young_rel_fro"].as_object().unwrap() {
            let reference =
                best_rank_errors(case.matrix.clone(), &[rank.parse().unwrap()]).unwrap();
            let found = reference.errors[0];
            // The stored file calls an error below its rounding zero.
            let difference = (found.relative_frobenius - expected.as_f64().unwrap()).abs();
            assert!(
                difference <= found.error_bound + 1e-14,
                "{} rank {rank}: {found:?}, {expected}",
                case.name
            );
            assert_eq!(reference.method, Method::FullSvd);
        }
    }
}

#[test]
fn errors_of_a_diagonal_matrix_are_those_worked_by_hand() {
    // sigma = 4, 2, 1 (and a zero row): total 21, tails 5 and 1.
    let a = Dense::new(
        4,
        3,
        vec![0.0, 2.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0],
    )
    .unwrap();
    let reference = best_rank_errors(a, &[0, 1, 2, 3, 9]).unwrap();
    let expected = [
        1.0,
        (5.0_f64 / 21.0).sqrt(),
        (1.0_f64 / 21.0).sqrt(),
        0.0,
        0.0,
    ];
    for (found, expected) in reference.errors.iter().zip(expected) {
        assert!(
            (found.relative_frobenius - expected).abs() < 1e-15,
            "{found:?}, expected {expected}"
        );
    }
    assert!((reference.frobenius - 21.0_f64.sqrt()).abs() < 1e-15);
}

#[test]
fn block_lanczos_agrees_with_the_full_svd_on_activations() {
    let ranks = [1, 2, 5, 10, 20];
    for (rows, cols, variant) in [
        (300, 700, Variant::PostNorm),
        (700, 300, Variant::Residual),
        (400, 400, Variant::ResidualMassive),
    ] {
        let matrix = llama_like(rows, cols, 5, variant).unwrap();
        let full = best_rank_errors(&matrix, &ranks).unwrap();
        let lanczos = block_lanczos_errors(&matrix, &ranks).unwrap();
        assert!(
            matches!(
                lanczos.method,
                Method::BlockLanczos {
                    converged: true,
                    ..
                }
            ),
            "{:?}",
            lanczos.method
        );
        assert!(lanczos.residual_bound <= 1e-8, "{}", lanczos.residual_bound);
        for (full, lanczos) in full.errors.iter().zip(&lanczos.errors) {
            let difference = (full.relative_frobenius - lanczos.relative_frobenius).abs();
            // The bound must hold, and what it bounds converges quadratically: rounding is all that is left.
            assert!(
                difference <= lanczos.error_bound + full.error_bound,
                "{full:?} {lanczos:?}"
            );
            assert!(difference <= 1e-12, "rank {}: {difference:e}", full.rank);
        }
    }
}

#[test]
fn block_lanczos_counts_repeated_values_and_survives_rank_deficiency() {
    for case in cases() {
        let short = case.matrix.rows().min(case.matrix.cols());
        let ranks = [1, 3, 7.min(short)];
        let full = best_rank_errors(case.matrix.clone(), &ranks).unwrap();
        let lanczos = block_lanczos_errors(case.matrix.clone(), &ranks).unwrap();
        for (full, lanczos) in full.errors.iter().zip(&lanczos.errors) {
            // 1 - sum leaves an error below sqrt(1e-14) undetermined; the bound says so.
            let difference = (full.relative_frobenius - lanczos.relative_frobenius).abs();
            assert!(
                difference <= lanczos.error_bound + 1e-14,
                "{}: {full:?} {lanczos:?}",
                case.name
            );
        }
        for (i, (x, y)) in lanczos
            .singular_values
            .iter()
            .zip(&full.singular_values)
            .enumerate()
        {
            assert!(
                (x - y).abs() <= 1e-13 * full.singular_values[0],
                "{}: sigma {i}: {x}, {y}",
                case.name
            );
        }
    }
}

#[test]
fn an_exhausted_krylov_space_restarts_and_reports_zero_residual() {
    // The identity: the first block already spans an invariant subspace.
    let size = 60;
    let data = (0..size * size)
        .map(|i| if i % (size + 1) == 0 { 1.0 } else { 0.0 })
        .collect();
    let reference = block_lanczos_errors(Dense::new(size, size, data).unwrap(), &[15]).unwrap();
    assert!((reference.errors[0].relative_frobenius - (45.0_f64 / 60.0).sqrt()).abs() < 1e-13);
    assert!(reference.residual_bound < 1e-13);
    let zero = block_lanczos_errors(Dense::new(40, 50, vec![0.0; 2000]).unwrap(), &[3]).unwrap();
    assert_eq!(
        (zero.errors[0].relative_frobenius, zero.residual_bound),
        (0.0, 0.0)
    );
}

#[test]
fn a_flat_spectrum_says_how_far_it_is() {
    // White noise has no gap. Whatever the iteration reached, the stated bound must cover the truth.
    let matrix = random_matrix(500, 450, 9);
    let full = best_rank_errors(&matrix, &[10]).unwrap();
    let lanczos = block_lanczos_errors(&matrix, &[10]).unwrap();
    let difference =
        (full.errors[0].relative_frobenius - lanczos.errors[0].relative_frobenius).abs();
    assert!(
        difference <= lanczos.errors[0].error_bound,
        "{difference:e} {lanczos:?}"
    );
}

#[test]
fn threads_do_not_change_a_bit() {
    let matrix = llama_like(600, 500, 1, Variant::Residual).unwrap();
    let run = |threads| {
        on_threads(threads, || {
            let lanczos = block_lanczos_errors(&matrix, &[10]).unwrap();
            (
                lanczos.singular_values,
                lanczos.errors,
                singular_values(&matrix).unwrap(),
            )
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn infinities_are_refused_with_their_place() {
    let mut data = vec![0; 6];
    data[4] = f16::NEG_INFINITY.to_bits();
    let matrix = Matrix::new(2, 3, data).unwrap();
    let message = best_rank_errors(&matrix, &[1]).unwrap_err().to_string();
    assert_eq!(
        message,
        "the matrix has -inf at row 1, column 1; all values must be finite"
    );
}

#[test]
fn the_machine_is_unknown_here() {
    let manifest =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let machine = [
        "dcom-fp",
        "dcom-isa",
        "dcom-arch",
        "dcom-exec",
        "dcom-timing",
        "dcom-config",
        "dcom-mapper",
    ];
    for name in machine {
        assert!(
            !manifest.contains(name),
            "a reference must not depend on {name}"
        );
    }
}
