//! The Jacobi SVD: cases worked by hand, and random ones against faer.

use dcom_reference::{Dense, SmallSvd, singular_values, small_svd};
use proptest::prelude::*;

use crate::support::uniform;

/// Largest deviation of U diag(s) V^T from b, of U^T U and V^T V from I.
fn defects(svd: &SmallSvd, b: &[f64], size: usize) -> (f64, f64) {
    let (mut product, mut orthogonality) = (0.0_f64, 0.0_f64);
    for i in 0..size {
        for j in 0..size {
            let sum = |f: &dyn Fn(usize) -> f64| (0..size).map(f).sum::<f64>();
            let entry = sum(&|k| svd.u[i * size + k] * svd.s[k] * svd.v[j * size + k]);
            product = product.max((entry - b[i * size + j]).abs());
            let identity = if i == j { 1.0 } else { 0.0 };
            for q in [&svd.u, &svd.v] {
                orthogonality = orthogonality
                    .max((sum(&|k| q[k * size + i] * q[k * size + j]) - identity).abs());
            }
        }
    }
    (product, orthogonality)
}

fn assert_decomposes(b: &[f64], size: usize) -> SmallSvd {
    let svd = small_svd(b, size).unwrap();
    let (product, orthogonality) = defects(&svd, b, size);
    // A rotation per pair and sweep, each a few roundings: 1e-14 per entry at size 256.
    assert!(
        product <= 2e-14 * svd.s[0],
        "product off by {product:e} at s_1 = {}",
        svd.s[0]
    );
    assert!(
        orthogonality <= 2e-13,
        "orthogonality off by {orthogonality:e}"
    );
    assert!(svd.s.is_sorted_by(|a, b| a >= b), "{:?}", svd.s);
    for col in 0..size {
        let column = (0..size).map(|row| svd.v[row * size + col]);
        let largest = column.fold(
            0.0_f64,
            |best, x| if x.abs() > best.abs() { x } else { best },
        );
        assert!(largest > 0.0, "sign of column {col}");
    }
    svd
}

#[test]
fn a_permuted_diagonal_is_exact() {
    // b e_1 = -2 e_2, b e_2 = 3 e_1: s = 3, 2; v = e_2, e_1; u = e_1, -e_2.
    let svd = small_svd(&[0.0, 3.0, -2.0, 0.0], 2).unwrap();
    assert_eq!(svd.s, [3.0, 2.0]);
    assert_eq!(svd.v, [0.0, 1.0, 1.0, 0.0]);
    assert_eq!(svd.u, [1.0, 0.0, 0.0, -1.0]);
}

#[test]
fn a_two_by_two_bidiagonal_matches_its_closed_form() {
    // [[3, 4], [0, 5]]: sum of squares 50, determinant 15, so s^2 = 25 +- 20: sqrt(45), sqrt(5).
    let svd = assert_decomposes(&[3.0, 4.0, 0.0, 5.0], 2);
    assert!((svd.s[0] - 45.0_f64.sqrt()).abs() < 2e-15);
    assert!((svd.s[1] - 5.0_f64.sqrt()).abs() < 1e-15);
    // The eigenvector of [[9, 12], [12, 41]] for 45 is (1, 3) / sqrt(10).
    assert!((svd.v[0] - 0.1_f64.sqrt()).abs() < 1e-15 && (svd.v[2] - 0.9_f64.sqrt()).abs() < 1e-15);
}

#[test]
fn one_by_one_keeps_its_sign_in_u() {
    assert_eq!(
        small_svd(&[-2.5], 1).unwrap(),
        SmallSvd {
            u: vec![-1.0],
            s: vec![2.5],
            v: vec![1.0]
        }
    );
}

#[test]
fn zero_and_rank_one_complete_u() {
    let zero = assert_decomposes(&[0.0; 9], 3);
    assert_eq!(zero.s, [0.0; 3]);
    assert_eq!(zero.u, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    // (1, 2, 2)^T (2, 1, 2): norms 3 and 3.
    let rank_one = assert_decomposes(&[2.0, 1.0, 2.0, 4.0, 2.0, 4.0, 4.0, 2.0, 4.0], 3);
    assert!((rank_one.s[0] - 9.0).abs() < 1e-14);
    assert!(rank_one.s[1] < 1e-15);
}

#[test]
fn extreme_scales_neither_overflow_nor_underflow() {
    for scale in [1e-320, 1e-300, 1e300] {
        let svd = small_svd(&[3.0 * scale, 4.0 * scale, 0.0, 5.0 * scale], 2).unwrap();
        // At 1e-320 a number has four digits left.
        let tolerance = if scale < 1e-310 { 1e-3 } else { 1e-15 };
        assert!(
            (svd.s[0] / scale - 45.0_f64.sqrt()).abs() < 10.0 * tolerance,
            "{scale:e}: {:?}",
            svd.s
        );
    }
    let graded = assert_decomposes(&[1.0, 1.0, 0.0, 1e-200], 2);
    assert!((graded.s[0] - 2.0_f64.sqrt()).abs() < 1e-15);
}

#[test]
fn bad_input_is_an_error() {
    let message = |b: &[f64], size| small_svd(b, size).unwrap_err().to_string();
    assert_eq!(
        message(&[], 0),
        "the size of the matrix is 0, expected 1 to 256"
    );
    assert_eq!(
        message(&[1.0], 257),
        "the size of the matrix is 257, expected 1 to 256"
    );
    assert_eq!(
        message(&[1.0; 3], 2),
        "the small matrix has 3 values, expected 4"
    );
    assert_eq!(
        message(&[1.0, 2.0, f64::NAN, 4.0], 2),
        "the small matrix has NaN at row 1, column 0; all values must be finite"
    );
}

#[test]
fn the_largest_size_converges() {
    let mut next = uniform(3);
    let b = (0..256 * 256).map(|_| next()).collect::<Vec<_>>();
    let svd = assert_decomposes(&b, 256);
    let expected = singular_values(Dense::new(256, 256, b).unwrap()).unwrap();
    for (x, y) in svd.s.iter().zip(&expected) {
        assert!((x - y).abs() < 1e-13 * expected[0], "{x} {y}");
    }
}

proptest! {
    #[test]
    fn random_matrices_agree_with_faer(size in 1_usize..24, seed: u64, rank in 0_usize..24, bidiagonal: bool) {
        let mut next = uniform(seed);
        let b = if bidiagonal {
            let keep = |i: usize| { let (row, col) = (i / size, i % size); col == row || col == row + 1 };
            (0..size * size).map(|i| if keep(i) { next() } else { 0.0 }).collect::<Vec<_>>()
        } else {
            let left = (0..size * rank).map(|_| next()).collect::<Vec<_>>();
            let right = (0..size * rank).map(|_| next()).collect::<Vec<_>>();
            let entry = |i: usize| (0..rank).map(|k| left[i / size * rank + k] * right[i % size * rank + k]).sum();
            (0..size * size).map(entry).collect()
        };
        let svd = assert_decomposes(&b, size);
        let expected = singular_values(Dense::new(size, size, b.clone()).unwrap()).unwrap();
        for (x, y) in svd.s.iter().zip(&expected) {
            prop_assert!((x - y).abs() <= 1e-14 * expected[0], "{} {}", x, y);
        }
        prop_assert_eq!(svd, small_svd(&b, size).unwrap());
    }
}
