//! Matrices whose Krylov spaces end early.

use dcom_tensor::Matrix;

use crate::lanczos::{COLUMNS, ROWS, lanczos, relative_error};
use crate::twin::bits16;

const MODES: [&str; 3] = ["m16a16", "m16a32", "x32"];

fn matrix(value: impl Fn(usize, usize) -> f32) -> Matrix {
    let data = (0..ROWS * COLUMNS)
        .map(|k| bits16(value(k / COLUMNS, k % COLUMNS)))
        .collect();
    Matrix::new(ROWS, COLUMNS, data).expect("sizes agree")
}

/// alpha_0 passes its test, beta_0 is what rounding left over and fails; the test of alpha_1 is skipped.
#[test]
fn rank_one() {
    for mode in MODES {
        let value = |row: usize, column: usize| ((1 + row % 3) * (1 + column % 2)) as f32;
        let (result, passed) = lanczos(mode, &matrix(value));
        assert_eq!(passed, [true, false], "{mode}");
        assert_eq!(result.broke_down_after, Some(1), "{mode}");
        assert_eq!(
            (result.alpha[1], result.beta[0], result.s[1]),
            (0.0, 0.0, 0.0),
            "{mode}"
        );
        for column in [&result.u[1], &result.v[1]] {
            assert!(column.iter().all(|&x| x == 0.0), "{mode}: {column:?}");
        }
        let exact: Vec<f64> = (0..ROWS * COLUMNS)
            .map(|k| value(k / COLUMNS, k % COLUMNS).into())
            .collect();
        // One rounding of every element of u and v, and some of their norms.
        let error = relative_error(&result, &exact);
        assert!(error < 1e-3, "{mode}: {error}");
    }
}

/// The first test fails: no division by zero reaches the vectors.
#[test]
fn zero() {
    for mode in MODES {
        let (result, passed) = lanczos(mode, &matrix(|_, _| 0.0));
        assert_eq!(passed, [false], "{mode}");
        assert_eq!(result.broke_down_after, Some(0), "{mode}");
        assert_eq!(
            (&result.s[..], result.overflow_count),
            (&[0.0, 0.0][..], 0),
            "{mode}"
        );
        for column in result.u.iter().chain(&result.v) {
            assert!(column.iter().all(|&x| x == 0.0), "{mode}: {column:?}");
        }
    }
}
