//! Singular values and the best possible rank-r error (Eckart-Young).
//!
//! relative error(r) = sqrt(sum_{i>r} sigma_i^2 / sum_i sigma_i^2); 0 for the zero matrix.
//!
//! Up to 1024 on the shorter side the full spectrum comes from a values-only SVD; beyond, the leading singular values
//! come from a block Lanczos iteration with an explicit residual.

use std::time::Instant;

use faer::Par;
use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::{MatRef, Spec};

use crate::block_lanczos::{self, Leading};
use crate::dense::Dense;
use crate::error::ReferenceError;

/// Longest shorter side for the full SVD, which costs O(short^2 x long).
const FULL_SHORT_SIDE: usize = 1024;

/// Longest longer side for the full SVD.
const FULL_LONG_SIDE: usize = 16384;

/// Seed of the start block; any value serves, a fixed one makes the result repeatable.
const SEED: u64 = 0x4443_4f4d;

/// How a reference was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// All singular values, by Householder bidiagonalization.
    FullSvd,
    /// The leading ones, by randomized block Lanczos with full re-orthogonalization.
    BlockLanczos {
        /// Columns of the start block.
        block: usize,
        /// Dimension of the Krylov space at the end.
        basis: usize,
        /// Whether the residual reached its target, 1e-8 sigma_1.
        converged: bool,
    },
}

/// The best error of one rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankError {
    /// Rank r.
    pub rank: usize,
    /// sqrt(sum_{i>r} sigma_i^2 / sum_i sigma_i^2).
    pub relative_frobenius: f64,
    /// The true best error is at most this far from `relative_frobenius`, see [`Reference::residual_bound`].
    pub error_bound: f64,
}

/// Best-rank errors and how they were obtained.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// One entry per rank asked for, in the order asked for.
    pub errors: Vec<RankError>,
    /// ||A||_F.
    pub frobenius: f64,
    /// All singular values, or the leading ones up to the largest rank; descending.
    pub singular_values: Vec<f64>,
    /// The method.
    pub method: Method,
    /// Relative residual max_i max(||A v_i - s_i u_i||, ||A^T u_i - s_i v_i||) / s_1, measured for the block Lanczos
    /// method; for the full SVD its backward error bound, max(rows, cols) x 2^-52. It bounds the distance of the values
    /// from singular values of A. That they are the *largest* ones follows for a random start block with probability 1
    /// in exact arithmetic, not from the residual.
    pub residual_bound: f64,
    /// Wall time, in seconds.
    pub seconds: f64,
}

/// All singular values, descending.
pub fn singular_values(matrix: impl Into<Dense>) -> Result<Vec<f64>, ReferenceError> {
    let matrix = matrix.into();
    matrix.require_finite()?;
    full_spectrum(&matrix)
}

/// Best-rank errors of `matrix` for `ranks` (any order; ranks beyond the shorter side have error 0).
pub fn best_rank_errors(
    matrix: impl Into<Dense>,
    ranks: &[usize],
) -> Result<Reference, ReferenceError> {
    let started = Instant::now();
    let matrix = matrix.into();
    matrix.require_finite()?;
    let (short, long) = sides(&matrix);
    if short <= FULL_SHORT_SIDE && long <= FULL_LONG_SIDE {
        full_errors(&matrix, ranks, started)
    } else {
        lanczos_errors(&matrix, ranks, started)
    }
}

/// [`best_rank_errors`] by block Lanczos whatever the size, so that the two methods can be compared.
pub fn block_lanczos_errors(
    matrix: impl Into<Dense>,
    ranks: &[usize],
) -> Result<Reference, ReferenceError> {
    let started = Instant::now();
    let matrix = matrix.into();
    matrix.require_finite()?;
    lanczos_errors(&matrix, ranks, started)
}

/// Descending singular values of any faer view, one thread: the result must not depend on the number of threads.
pub(crate) fn values_of(view: MatRef<'_, f64>) -> Result<Vec<f64>, ReferenceError> {
    let (rows, cols) = view.shape();
    let no = ComputeSvdVectors::No;
    let params = Spec::default();
    let scratch = svd_scratch::<f64>(rows, cols, no, no, Par::Seq, params);
    let mut values = Diag::<f64>::zeros(rows.min(cols));
    let mut memory = MemBuffer::new(scratch);
    svd(
        view,
        values.as_mut(),
        None,
        None,
        Par::Seq,
        MemStack::new(&mut memory),
        params,
    )
    .map_err(|_| ReferenceError::NoConvergence {
        what: "the SVD",
        iterations: rows.min(cols),
    })?;
    Ok(values.column_vector().iter().copied().collect())
}

fn full_spectrum(matrix: &Dense) -> Result<Vec<f64>, ReferenceError> {
    values_of(matrix.view())
}

fn full_errors(
    matrix: &Dense,
    ranks: &[usize],
    started: Instant,
) -> Result<Reference, ReferenceError> {
    let singular_values = full_spectrum(matrix)?;
    let (_, long) = sides(matrix);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a matrix side is far below 2^53"
    )]
    let residual_bound = long as f64 * f64::EPSILON;
    let largest = singular_values
        .first()
        .copied()
        .expect("matrices are not empty");
    let total = sum_of_squares(&singular_values);
    let errors = ranks.iter().map(|&rank| {
        // From the tail, so that small errors keep their relative accuracy.
        let tail = sum_of_squares(singular_values.get(rank..).unwrap_or_default());
        let relative_frobenius = if total > 0.0 {
            (tail / total).sqrt()
        } else {
            0.0
        };
        // A perturbation of A of this norm moves every reconstruction error by at most as much.
        let error_bound = if total > 0.0 {
            residual_bound * largest / total.sqrt()
        } else {
            0.0
        };
        RankError {
            rank,
            relative_frobenius,
            error_bound,
        }
    });
    Ok(Reference {
        errors: errors.collect(),
        frobenius: matrix.frobenius(),
        singular_values,
        method: Method::FullSvd,
        residual_bound,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn lanczos_errors(
    matrix: &Dense,
    ranks: &[usize],
    started: Instant,
) -> Result<Reference, ReferenceError> {
    let (short, _) = sides(matrix);
    let largest_rank = ranks
        .iter()
        .copied()
        .max()
        .map_or(1, |rank| rank.clamp(1, short));
    let leading = block_lanczos::leading(matrix, largest_rank, SEED)?;
    let frobenius = matrix.frobenius();
    let errors = ranks
        .iter()
        .map(|&rank| lanczos_error(&leading, frobenius, rank, short))
        .collect();
    let largest = leading
        .values
        .first()
        .copied()
        .expect("at least one value was asked for");
    Ok(Reference {
        errors,
        frobenius,
        residual_bound: if largest > 0.0 {
            leading.max_residual / largest
        } else {
            0.0
        },
        method: Method::BlockLanczos {
            block: leading.block,
            basis: leading.basis,
            converged: leading.converged,
        },
        singular_values: leading.values,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// With orthonormal u_i, v_i and residuals of total norm rho, the values are singular values of A + E, ||E|| <= rho
/// (see `Leading::residual_norm`), so each differs from one of A by at most rho, and the sum of r squares by at most
/// sum(2 s_i rho + rho^2). The values converge quadratically in rho, so this is generous.
fn lanczos_error(leading: &Leading, frobenius: f64, rank: usize, short: usize) -> RankError {
    /// Rounding of the two sums of squares, relative to ||A||_F^2; their difference is all that is left of a tail.
    const ROUNDING: f64 = 1e-14;
    if frobenius == 0.0 || rank >= short {
        return RankError {
            rank,
            relative_frobenius: 0.0,
            error_bound: 0.0,
        };
    }
    let head = &leading.values[..rank.min(leading.values.len())];
    let total = frobenius * frobenius;
    let tail = (1.0 - sum_of_squares(head) / total).max(0.0);
    let rho = leading.residual_norm;
    let slack = head.iter().map(|s| rho * (2.0 * s + rho)).sum::<f64>() / total + ROUNDING;
    let below = tail.sqrt() - (tail - slack).max(0.0).sqrt();
    let above = (tail + slack).sqrt() - tail.sqrt();
    RankError {
        rank,
        relative_frobenius: tail.sqrt(),
        error_bound: below.max(above),
    }
}

fn sides(matrix: &Dense) -> (usize, usize) {
    let (rows, cols) = (matrix.rows(), matrix.cols());
    (rows.min(cols), rows.max(cols))
}

fn sum_of_squares(values: &[f64]) -> f64 {
    // Smallest first: the tail of a spectrum is long and small.
    values.iter().rev().map(|s| s * s).sum()
}
