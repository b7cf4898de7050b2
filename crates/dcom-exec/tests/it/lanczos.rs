//! A hand-written decomposition against float64.

use dcom_arch::Arch;
use dcom_exec::{PromptResult, execute};
use dcom_isa::assemble;
use dcom_reference::{golub_kahan_f64, small_svd};
use dcom_tensor::Matrix;

use crate::random::{Random, machine};
use crate::twin::{bits16, value16};

pub(crate) const ROWS: usize = 24;
pub(crate) const COLUMNS: usize = 20;

pub(crate) fn small_machine(mode: &str) -> Arch {
    let sizes = [
        ("array.columns", 2),
        ("array.rows", 2),
        ("cluster.lanes_x", 4),
        ("cluster.lanes_y", 4),
    ];
    let mut changes = sizes
        .map(|(key, n): (&str, u64)| (key, n.to_string()))
        .to_vec();
    changes.push(("cluster.accumulate", mode.to_owned()));
    machine(&changes)
}

/// Runs the two-step decomposition on one matrix.
pub(crate) fn lanczos(mode: &str, matrix: &Matrix) -> (PromptResult, Vec<bool>) {
    let arch = small_machine(mode);
    let program = assemble(include_str!("../programs/lanczos_2.dcom")).expect("assembles");
    let program = program.verify(&arch).unwrap_or_else(|e| panic!("{e}"));
    let outcome = execute(&program, &[matrix], &[]).expect("the prompt fits");
    let [result] = <[PromptResult; 1]>::try_from(outcome.prompts).expect("one prompt");
    (result, outcome.trace.passed)
}

/// Frobenius norm of U diag(s) V^T - `expected`, relative to that of `expected`.
pub(crate) fn relative_error(result: &PromptResult, expected: &[f64]) -> f64 {
    let (mut error, mut norm) = (0.0, 0.0);
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            let term = |r: usize| {
                f64::from(result.u[r][row]) * result.s[r] * f64::from(result.v[r][column])
            };
            let reference = expected[row * COLUMNS + column];
            error += ((0..result.s.len()).map(term).sum::<f64>() - reference).powi(2);
            norm += reference * reference;
        }
    }
    (error / norm).sqrt()
}

#[test]
fn two_steps_agree_with_float64() {
    // Vectors are rounded to fp16, 2^-11 per element and independent, so inner products of unit vectors move by less
    // than 2^-11; alpha and beta by a few of these times the largest. With sums in fp16 a tree of depth 5 adds as many
    // roundings to every element of a product.
    for (mode, tolerance) in [("m16a16", 5e-3), ("m16a32", 2e-3), ("x32", 2e-3)] {
        for seed in 0..10 {
            let mut random = Random::new(seed);
            // A mean of 1/2 in every column, so that the start vector is no accident.
            let value = |_| bits16(random.below(2048) as f32 / 1024.0 - 0.5);
            let matrix = Matrix::new(ROWS, COLUMNS, (0..ROWS * COLUMNS).map(value).collect())
                .expect("sizes agree");
            let (result, passed) = lanczos(mode, &matrix);
            assert_eq!(passed, [true; 3]);
            assert_eq!((result.broke_down_after, result.overflow_count), (None, 0));

            let column_sum = |column| {
                (0..ROWS)
                    .map(|row| f64::from(value16(matrix.get(row, column))))
                    .sum::<f64>()
            };
            let start: Vec<f64> = (0..COLUMNS).map(column_sum).collect();
            let exact = golub_kahan_f64(&matrix, &start, 2, 1e-12).expect("finite");
            let scale = 2.0_f64.powi(-result.exponent);
            let largest = exact.alpha[0];
            let found =
                [result.alpha[0], result.alpha[1], result.beta[0]].map(|x| f64::from(x) * scale);
            for (found, exact) in found
                .iter()
                .zip([exact.alpha[0], exact.alpha[1], exact.beta[0]])
            {
                assert!(
                    (found - exact).abs() < tolerance * largest,
                    "{mode} {seed}: {found} for {exact}"
                );
            }

            let svd = small_svd(&[exact.alpha[0], exact.beta[0], 0.0, exact.alpha[1]], 2)
                .expect("finite");
            for (found, exact) in result.s.iter().zip(&svd.s) {
                assert!(
                    (found - exact).abs() < tolerance * largest,
                    "{mode} {seed}: sigma {found} for {exact}"
                );
            }
            // U B V^T with the exact bidiagonal.
            let mut projected = vec![0.0; ROWS * COLUMNS];
            for (i, j, b) in [
                (0, 0, exact.alpha[0]),
                (0, 1, exact.beta[0]),
                (1, 1, exact.alpha[1]),
            ] {
                for (k, projected) in projected.iter_mut().enumerate() {
                    *projected += exact.u[i][k / COLUMNS] * b * exact.v[j][k % COLUMNS];
                }
            }
            let error = relative_error(&result, &projected);
            // The second vectors are what is left of products alpha_0 long, so their directions are off by alpha_0 / beta_0
            // times the rounding of these.
            let rounding = 2.0_f64.powi(-11) * exact.alpha[0] / exact.beta[0];
            assert!(
                error < rounding,
                "{mode} {seed}: the factors are off by {error}"
            );
            assert!(
                error > 1e-6,
                "{mode} {seed}: fp16 cannot be this good: {error}"
            );
        }
    }
}
