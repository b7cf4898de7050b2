//! Factors of a float64 matrix: the best of a rank, and those of Golub-Kahan-Lanczos, the algorithm of the machine.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::{Mat, Par, Spec, diag::Diag};

use crate::dense::Dense;
use crate::error::ReferenceError;
use crate::golub_kahan::{Bidiagonalization, Status, golub_kahan_f64};
use crate::small_svd::small_svd;

/// Relative to the largest alpha or beta, where Lanczos ends: suits float64.
const BREAKDOWN: f64 = 1e-12;

/// U diag(s) V^T, with singular values descending. The rank may be lower than the one asked for: by the sides of the matrix, or
/// where Lanczos broke down.
#[derive(Clone, Debug, PartialEq)]
pub struct Truncated {
    /// Columns of U, each as long as the matrix has rows.
    pub u: Vec<Vec<f64>>,
    /// Singular values.
    pub s: Vec<f64>,
    /// Columns of V, each as long as the matrix has columns.
    pub v: Vec<Vec<f64>>,
}

/// The best factors of a rank (Eckart-Young), by a full SVD on one thread: the result does not depend on the number of threads.
///
/// # Errors
/// Values that are not finite, or an SVD that does not converge.
pub fn truncated_svd(matrix: &Dense, rank: usize) -> Result<Truncated, ReferenceError> {
    matrix.require_finite()?;
    let (rows, cols) = (matrix.rows(), matrix.cols());
    let short = rows.min(cols);
    let thin = ComputeSvdVectors::Thin;
    let params = Spec::default();
    let mut u = Mat::<f64>::zeros(rows, short);
    let mut v = Mat::<f64>::zeros(cols, short);
    let mut s = Diag::<f64>::zeros(short);
    let mut memory = MemBuffer::new(svd_scratch::<f64>(rows, cols, thin, thin, Par::Seq, params));
    svd(
        matrix.view(),
        s.as_mut(),
        Some(u.as_mut()),
        Some(v.as_mut()),
        Par::Seq,
        MemStack::new(&mut memory),
        params,
    )
    .map_err(|_| ReferenceError::NoConvergence {
        what: "the SVD",
        iterations: short,
    })?;
    let rank = rank.min(short);
    let columns = |of: &Mat<f64>| -> Vec<Vec<f64>> {
        (0..rank)
            .map(|j| of.col(j).iter().copied().collect())
            .collect()
    };
    Ok(Truncated {
        u: columns(&u),
        s: s.column_vector().iter().take(rank).copied().collect(),
        v: columns(&v),
    })
}

/// The factors that so many Lanczos iterations give, from the mean token (A^T 1) on, or from the longest token where the tokens
/// cancel.
///
/// # Errors
/// Values that are not finite, or a small SVD that does not converge.
pub fn truncated_lanczos(
    matrix: &Dense,
    rank: usize,
    iterations: usize,
) -> Result<Truncated, ReferenceError> {
    let columns = iterations.min(matrix.rows()).min(matrix.cols());
    let mean = column_sums(matrix);
    let mut found = golub_kahan_f64(matrix.clone(), &mean, columns, BREAKDOWN)?;
    if matches!(found.status, Status::StartZero | Status::StartInNullSpace) {
        found = golub_kahan_f64(matrix.clone(), longest_row(matrix), columns, BREAKDOWN)?;
    }
    if found.alpha.is_empty() {
        // Only the zero matrix has no token to start from.
        return Ok(Truncated {
            u: vec![],
            s: vec![],
            v: vec![],
        });
    }
    from_bidiagonal(&found, rank)
}

/// The leading singular triples of A = U B V^T.
fn from_bidiagonal(found: &Bidiagonalization, rank: usize) -> Result<Truncated, ReferenceError> {
    // After a breakdown in alpha, V has a column more than U: B is then square with a row of zeros.
    let size = found.v.len();
    let mut b = vec![0.0; size * size];
    for (i, alpha) in found.alpha.iter().enumerate() {
        b[i * size + i] = *alpha;
    }
    for (i, beta) in found.beta.iter().enumerate() {
        b[i * size + i + 1] = *beta;
    }
    let small = small_svd(&b, size)?;
    let rank = rank.min(found.u.len());
    let rotated = |basis: &[Vec<f64>], coefficients: &[f64], j: usize| {
        let mut out = vec![0.0; basis[0].len()];
        for (i, column) in basis.iter().enumerate() {
            let weight = coefficients[i * size + j];
            for (out, x) in out.iter_mut().zip(column) {
                *out += weight * x;
            }
        }
        out
    };
    Ok(Truncated {
        u: (0..rank).map(|j| rotated(&found.u, &small.u, j)).collect(),
        s: small.s[..rank].to_vec(),
        v: (0..rank).map(|j| rotated(&found.v, &small.v, j)).collect(),
    })
}

fn column_sums(matrix: &Dense) -> Vec<f64> {
    let mut sums = vec![0.0; matrix.cols()];
    for row in matrix.data().chunks_exact(matrix.cols()) {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += x;
        }
    }
    sums
}

fn longest_row(matrix: &Dense) -> &[f64] {
    let square = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>();
    let rows = matrix.data().chunks_exact(matrix.cols());
    rows.max_by(|a, b| square(a).total_cmp(&square(b)))
        .expect("matrices are not empty")
}
