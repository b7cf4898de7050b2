//! Reconstruction errors and loss of orthogonality against hand-worked cases and naive twins.

use dcom_reference::{Errors, orthogonality_loss, reconstruction};
use dcom_tensor::{Factors, Matrix};
use half::f16;
use proptest::prelude::*;

use crate::support::{on_threads, random_f32, random_matrix};

/// Row by row, element by element, no blocks.
fn naive(matrix: &Matrix, factors: &Factors) -> Errors {
    let (cols, rank) = (matrix.cols(), factors.rank());
    let mut all = (0.0, 0.0);
    let mut tokens = vec![];
    for row in 0..matrix.rows() {
        let mut this = (0.0, 0.0);
        for col in 0..cols {
            let a = f16::from_bits(matrix.get(row, col)).to_f64();
            let product = (0..rank)
                .map(|k| {
                    let [u, s, v] = [
                        factors.u()[row * rank + k],
                        factors.s()[k],
                        factors.v()[col * rank + k],
                    ]
                    .map(f64::from);
                    u * s * v
                })
                .sum::<f64>();
            this = (this.0 + (a - product).powi(2), this.1 + a * a);
        }
        tokens.push((this.0 / this.1).sqrt());
        all = (all.0 + this.0, all.1 + this.1);
    }
    tokens.sort_by(f64::total_cmp);
    let middle = tokens.len() / 2;
    let even = tokens.len() % 2 == 0;
    Errors {
        relative_frobenius: (all.0 / all.1).sqrt(),
        per_token_median: if even {
            (tokens[middle - 1] + tokens[middle]) / 2.0
        } else {
            tokens[middle]
        },
        per_token_max: tokens[tokens.len() - 1],
    }
}

fn random_factors(rows: usize, cols: usize, rank: usize, seed: u64) -> Factors {
    let (u, s, v) = (
        random_f32(rows * rank, seed),
        random_f32(rank, seed + 1),
        random_f32(cols * rank, seed + 2),
    );
    Factors::new(rows, cols, u, s, v).unwrap()
}

#[test]
fn errors_worked_by_hand() {
    // A = [[3, 4], [0, 2], [0, 0]], U diag(s) V^T = (1, 0, 0)^T 3 (1, 0): residual rows (0, 4), (0, 2), (0, 0).
    let matrix = Matrix::from_f32(3, 2, &[3.0, 4.0, 0.0, 2.0, 0.0, 0.0])
        .unwrap()
        .matrix;
    let factors = Factors::new(3, 2, vec![1.0, 0.0, 0.0], vec![3.0], vec![1.0, 0.0]).unwrap();
    let errors = reconstruction(&matrix, &factors).unwrap();
    // Per token 4/5, 1 and, the row being zero and met, 0.
    assert_eq!(
        errors,
        Errors {
            relative_frobenius: (20.0_f64 / 29.0).sqrt(),
            per_token_median: 0.8,
            per_token_max: 1.0
        }
    );
    let missed = Factors::new(3, 2, vec![0.0, 0.0, 1.0], vec![1.0], vec![1.0, 0.0]).unwrap();
    assert_eq!(
        reconstruction(&matrix, &missed).unwrap().per_token_max,
        f64::INFINITY
    );
}

#[test]
fn an_exact_product_has_no_error() {
    let u = [1.0, -2.0, 0.5];
    let v = [3.0, 0.25, -1.0, 8.0];
    let values = u
        .iter()
        .flat_map(|x| v.iter().map(move |y| x * y * 2.0))
        .collect::<Vec<f32>>();
    let matrix = Matrix::from_f32(3, 4, &values).unwrap().matrix;
    let factors = Factors::from_columns(&[u.to_vec()], vec![2.0], &[v.to_vec()]).unwrap();
    let none = Errors {
        relative_frobenius: 0.0,
        per_token_median: 0.0,
        per_token_max: 0.0,
    };
    assert_eq!(reconstruction(&matrix, &factors).unwrap(), none);
}

#[test]
fn threads_do_not_change_a_bit() {
    let matrix = random_matrix(333, 777, 4);
    let factors = random_factors(333, 777, 7, 5);
    let run = |threads| on_threads(threads, || reconstruction(&matrix, &factors).unwrap());
    assert_eq!(run(1), run(3));
    assert_eq!(run(1), run(2));
}

#[test]
fn mismatches_and_infinities_are_errors() {
    let matrix = random_matrix(3, 4, 1);
    let message = |matrix: &Matrix, factors: &Factors| {
        reconstruction(matrix, factors).unwrap_err().to_string()
    };
    let other = random_factors(4, 3, 1, 1);
    assert_eq!(
        message(&matrix, &other),
        "the factors are of a 4 x 3 matrix, the matrix is 3 x 4"
    );
    let infinite = Factors::new(3, 4, vec![1.0; 3], vec![f32::INFINITY], vec![1.0; 4]).unwrap();
    assert_eq!(
        message(&matrix, &infinite),
        "factor s has inf at row 0, column 0; all values must be finite"
    );
    let mut data = matrix.data().to_vec();
    data[6] = f16::NAN.to_bits();
    let broken = Matrix::new(3, 4, data).unwrap();
    let fitting = random_factors(3, 4, 2, 1);
    assert_eq!(
        message(&broken, &fitting),
        "the matrix has NaN at row 1, column 2; all values must be finite"
    );
}

#[test]
fn orthogonality_loss_worked_by_hand() {
    // q_1 . q_2 = 0.5, ||q_1||^2 = 1, ||q_2||^2 = 1.25, q_3 = 0.
    let loss = orthogonality_loss(&[vec![1.0, 0.0], vec![0.5, 1.0], vec![0.0, 0.0]]).unwrap();
    assert_eq!(
        (loss.max_off_diagonal, loss.max_diagonal_deviation),
        (0.5, 1.0)
    );
    let none = orthogonality_loss(&[]).unwrap();
    assert_eq!(
        (none.max_off_diagonal, none.max_diagonal_deviation),
        (0.0, 0.0)
    );
    assert!(orthogonality_loss(&[vec![1.0], vec![1.0, 2.0]]).is_err());
    assert!(orthogonality_loss(&[vec![f32::NAN]]).is_err());
}

proptest! {
    #[test]
    fn blocks_agree_with_the_naive_twin(rows in 1_usize..12, cols in 1_usize..600, rank in 1_usize..6, seed in 0_u64..1000) {
        let matrix = random_matrix(rows, cols, seed);
        let factors = random_factors(rows, cols, rank, seed + 7);
        let (found, expected) = (reconstruction(&matrix, &factors).unwrap(), naive(&matrix, &factors));
        let pairs = [
            (found.relative_frobenius, expected.relative_frobenius),
            (found.per_token_median, expected.per_token_median),
            (found.per_token_max, expected.per_token_max),
        ];
        for (x, y) in pairs {
            // Two orders of at most 600 additions.
            prop_assert!((x - y).abs() <= 1e-13 * y, "{} {}", x, y);
        }
    }
}
