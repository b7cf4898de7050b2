//! The singular value decomposition of a small square matrix: one-sided Jacobi in float64.
//!
//! Columns of W = B V are rotated pairwise until all are orthogonal; then s_i = ||w_i|| and u_i = w_i / s_i. The order of
//! the rotations is fixed, so equal inputs give equal bits. Small singular values keep their relative accuracy as far as
//! B defines them (Demmel and Veselic, SIAM J. Matrix Anal. Appl. 13 (1992) 1204).

use crate::error::ReferenceError;

/// Largest accepted k.
const MAX_SIZE: usize = 256;

/// Sweeps over all pairs; fewer than 15 are usual.
const MAX_SWEEPS: usize = 60;

/// Two columns are orthogonal when |cosine| is at most this: a few roundings of a product of length 256.
const ORTHOGONAL: f64 = 1e-15;

/// Relative to the largest entry of B, a column shorter than this is zero: its square would leave the normal range.
const NEGLIGIBLE: f64 = 1e-140;

/// B = U diag(s) V^T, all k x k, row-major.
///
/// Descending singular values. Sign: the entry of largest magnitude of each column of V, the first of equals, is
/// positive; U follows. U and V are orthogonal also when B is singular: a column of U that belongs to s_i = 0 is a unit
/// vector made orthogonal to the others, found in the order e_1, e_2, ...
#[derive(Clone, Debug, PartialEq)]
pub struct SmallSvd {
    /// Left singular vectors, in columns.
    pub u: Vec<f64>,
    /// Singular values.
    pub s: Vec<f64>,
    /// Right singular vectors, in columns.
    pub v: Vec<f64>,
}

/// Decomposes the `size` x `size` row-major matrix `b`, 1 <= `size` <= 256, all values finite.
pub fn small_svd(b: &[f64], size: usize) -> Result<SmallSvd, ReferenceError> {
    if !(1..=MAX_SIZE).contains(&size) {
        return Err(ReferenceError::Range {
            what: "the size of the matrix",
            min: 1,
            max: MAX_SIZE,
            found: size,
        });
    }
    if b.len() != size * size {
        return Err(ReferenceError::Length {
            what: "the small matrix",
            expected: size * size,
            found: b.len(),
        });
    }
    if let Some(index) = b.iter().position(|x| !x.is_finite()) {
        let (row, col) = (index / size, index % size);
        return Err(ReferenceError::NonFinite {
            what: "the small matrix",
            row,
            col,
            value: b[index],
        });
    }
    let scale = power_of_two_above(b);
    let mut w = columns(size, |row, col| b[row * size + col] / scale);
    let mut v = columns(size, |row, col| if row == col { 1.0 } else { 0.0 });
    diagonalize(&mut w, &mut v)?;

    let norms = w.iter().map(|column| norm(column)).collect::<Vec<_>>();
    let mut order = (0..size).collect::<Vec<_>>();
    // The sort is stable: equal values stay in the order of their columns.
    order.sort_by(|&i, &j| norms[j].total_cmp(&norms[i]));
    let mut left = Vec::with_capacity(size);
    let mut right = Vec::with_capacity(size);
    for &i in &order {
        let sign = sign_of_largest(&v[i]);
        right.push(v[i].iter().map(|x| sign * x).collect::<Vec<_>>());
        if norms[i] > 0.0 {
            left.push(w[i].iter().map(|x| sign * x / norms[i]).collect::<Vec<_>>());
        }
    }
    complete(&mut left, size);
    let s = order.iter().map(|&i| norms[i] * scale).collect();
    Ok(SmallSvd {
        u: row_major(&left),
        s,
        v: row_major(&right),
    })
}

/// Rotates the columns of `w`, and those of `v` alike, until all pairs of `w` are orthogonal.
fn diagonalize(w: &mut [Vec<f64>], v: &mut [Vec<f64>]) -> Result<(), ReferenceError> {
    for column in w.iter_mut() {
        if norm(column) < NEGLIGIBLE {
            column.fill(0.0);
        }
    }
    for _ in 0..MAX_SWEEPS {
        let mut rotated = false;
        for q in 1..w.len() {
            for p in 0..q {
                let (cross, first, second) =
                    (dot(&w[p], &w[q]), dot(&w[p], &w[p]), dot(&w[q], &w[q]));
                if cross.abs() <= ORTHOGONAL * first.sqrt() * second.sqrt() {
                    continue;
                }
                rotated = true;
                // The smaller angle that makes the pair orthogonal (Golub and Van Loan, Matrix Computations, 8.6.3).
                let zeta = (second - first) / (2.0 * cross);
                let tangent = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                rotate(w, p, q, cosine, cosine * tangent);
                rotate(v, p, q, cosine, cosine * tangent);
                for column in [p, q] {
                    if norm(&w[column]) < NEGLIGIBLE {
                        w[column].fill(0.0);
                    }
                }
            }
        }
        if !rotated {
            return Ok(());
        }
    }
    Err(ReferenceError::NoConvergence {
        what: "the Jacobi SVD",
        iterations: MAX_SWEEPS,
    })
}

fn rotate(columns: &mut [Vec<f64>], p: usize, q: usize, cosine: f64, sine: f64) {
    let (front, back) = columns.split_at_mut(q);
    for (x, y) in front[p].iter_mut().zip(&mut back[0]) {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    }
}

/// Appends unit vectors orthogonal to `basis` until it has `size` columns.
fn complete(basis: &mut Vec<Vec<f64>>, size: usize) {
    // Of the candidates e_i at least one keeps 1/sqrt(size) of its length, and one that was refused stays refusable, so a
    // single pass over them suffices.
    #[expect(clippy::cast_precision_loss, reason = "at most 256")]
    let enough = 0.5 / (size as f64).sqrt();
    for index in 0..size {
        if basis.len() == size {
            return;
        }
        let mut candidate = vec![0.0; size];
        candidate[index] = 1.0;
        remove(&mut candidate, basis);
        if norm(&candidate) < enough {
            continue;
        }
        remove(&mut candidate, basis);
        let length = norm(&candidate);
        candidate.iter_mut().for_each(|x| *x /= length);
        basis.push(candidate);
    }
    assert_eq!(basis.len(), size, "the unit vectors span the space");
}

fn remove(vector: &mut [f64], basis: &[Vec<f64>]) {
    for column in basis {
        let share = dot(column, vector);
        for (x, y) in vector.iter_mut().zip(column) {
            *x -= share * y;
        }
    }
}

/// A power of two of the size of the largest entry: dividing by it is exact. 1 for the zero matrix.
fn power_of_two_above(b: &[f64]) -> f64 {
    let largest = b.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    if largest == 0.0 {
        return 1.0;
    }
    let exponent_only = f64::from_bits(largest.to_bits() & (0x7ff << 52));
    // A subnormal has exponent field 0; the smallest normal number serves there.
    exponent_only.max(f64::MIN_POSITIVE)
}

fn sign_of_largest(column: &[f64]) -> f64 {
    let largest = column.iter().fold(
        0.0_f64,
        |best, &x| if x.abs() > best.abs() { x } else { best },
    );
    if largest < 0.0 { -1.0 } else { 1.0 }
}

fn columns(size: usize, value: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    (0..size)
        .map(|col| (0..size).map(|row| value(row, col)).collect())
        .collect()
}

fn row_major(columns: &[Vec<f64>]) -> Vec<f64> {
    (0..columns.len())
        .flat_map(|row| columns.iter().map(move |column| column[row]))
        .collect()
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}
