//! Residuals and their products, by hand.

use dcom_reference::{Dense, product_frobenius, reconstruction, residual, residual_errors};
use dcom_tensor::{Factors, Matrix};

fn matrix(rows: usize, cols: usize, values: &[f32]) -> Matrix {
    Matrix::from_f32(rows, cols, values).unwrap().matrix
}

#[test]
fn a_residual_is_what_factors_miss() {
    let a = matrix(2, 2, &[1.0, 2.0, 3.0, 4.0]);
    // 2 (1, 1)^T (1, 0) = [[2, 0], [2, 0]].
    let factors = Factors::new(2, 2, vec![1.0, 1.0], vec![2.0], vec![1.0, 0.0]).unwrap();
    let missed = residual(&a, &factors).unwrap();
    assert_eq!(missed.data(), [-1.0, 2.0, 1.0, 4.0]);
    let errors = residual_errors(&a, &missed).unwrap();
    // (1 + 4 + 1 + 16) / (1 + 4 + 9 + 16); per token 5 of 5 and 17 of 25.
    assert!((errors.relative_frobenius - (22.0_f64 / 30.0).sqrt()).abs() < 1e-15);
    assert!((errors.per_token_max - 1.0).abs() < 1e-15);
    assert_eq!(errors, reconstruction(&a, &factors).unwrap());
}

#[test]
fn weights_are_of_output_by_input_channels() {
    let left = Dense::new(2, 2, vec![1.0, 2.0, 3.0, 4.0]).unwrap();
    // [[1, 2], [3, 4]] times [[1, 2], [-1, 0]] is [[-1, 2], [-1, 6]].
    let weight = matrix(2, 2, &[1.0, -1.0, 2.0, 0.0]);
    assert!((product_frobenius(&left, &weight).unwrap() - 42.0_f64.sqrt()).abs() < 1e-14);
    // More outputs than are multiplied at a time: each of 600 equal rows gives (1 + 9).
    let wide = matrix(600, 2, &[1.0, 0.0].repeat(600));
    assert!((product_frobenius(&left, &wide).unwrap() - 6000.0_f64.sqrt()).abs() < 1e-12);
    let other = matrix(1, 3, &[1.0; 3]);
    assert!(product_frobenius(&left, &other).is_err());
}
