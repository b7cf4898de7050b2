//! Golub-Kahan-Lanczos bidiagonalization in float64: the exact-arithmetic twin of Algorithm 1 of the D-com paper.
//!
//! v_0 = start / ||start||, u_0 = A v_0 / alpha_0; for j = 1..K: z = A^T u_{j-1} orthogonalized against v_0..v_{j-1},
//! beta_{j-1} = ||z||, v_j = z / beta_{j-1}; z = A v_j orthogonalized against u_0..u_{j-1}, alpha_j = ||z||,
//! u_j = z / alpha_j. The three-term terms are not subtracted separately, full re-orthogonalization (two passes of
//! classical Gram-Schmidt) removes them. Breakdown is tested before each division; the algorithm as printed divides first.

use crate::dense::Dense;
use crate::error::ReferenceError;

/// Why a bidiagonalization ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// K columns were computed.
    Complete,
    /// beta <= tol x scale: the columns so far span an invariant subspace. As many columns in U as in V.
    BetaBreakdown,
    /// alpha <= tol x scale: V has one column more than U, and B is j x (j + 1).
    AlphaBreakdown,
    /// A v_0 is zero: the start vector lies in the null space.
    StartInNullSpace,
    /// The start vector is zero.
    StartZero,
}

/// A V = U B, with B upper bidiagonal: `alpha` on the diagonal, `beta` above it.
#[derive(Clone, Debug, PartialEq)]
pub struct Bidiagonalization {
    /// One per column of U.
    pub alpha: Vec<f64>,
    /// One per column of V but the first.
    pub beta: Vec<f64>,
    /// Left vectors, each of length S.
    pub u: Vec<Vec<f64>>,
    /// Right vectors, each of length H.
    pub v: Vec<Vec<f64>>,
    /// Why it ended.
    pub status: Status,
}

/// Runs at most `columns` (K, 1 to the number of channels) steps from `start` (length H, not necessarily normalized).
///
/// `tolerance` is relative to the largest alpha or beta so far, for alpha_0 to ||A||_F; 1e-12 suits float64.
pub fn golub_kahan_f64(
    matrix: impl Into<Dense>,
    start: &[f64],
    columns: usize,
    tolerance: f64,
) -> Result<Bidiagonalization, ReferenceError> {
    let a = matrix.into();
    a.require_finite()?;
    check_arguments(&a, start, columns)?;
    let mut out = Bidiagonalization {
        alpha: vec![],
        beta: vec![],
        u: vec![],
        v: vec![],
        status: Status::Complete,
    };
    out.status = run(&a, start, columns, tolerance, &mut out);
    Ok(out)
}

fn run(
    a: &Dense,
    start: &[f64],
    columns: usize,
    tolerance: f64,
    out: &mut Bidiagonalization,
) -> Status {
    let start_norm = norm(start);
    if start_norm == 0.0 {
        return Status::StartZero;
    }
    out.v.push(scaled(start, start_norm));
    let mut scale = 0.0_f64;
    for j in 0..columns {
        if j > 0 {
            let mut z = times_transposed(a, &out.u[j - 1]);
            orthogonalize(&mut z, &out.v);
            let beta = norm(&z);
            if beta <= tolerance * scale {
                return Status::BetaBreakdown;
            }
            scale = scale.max(beta);
            out.beta.push(beta);
            out.v.push(scaled(&z, beta));
        }
        let mut z = times(a, &out.v[j]);
        orthogonalize(&mut z, &out.u);
        let alpha = norm(&z);
        if j == 0 && alpha <= tolerance * a.frobenius() {
            return Status::StartInNullSpace;
        }
        if alpha <= tolerance * scale {
            return Status::AlphaBreakdown;
        }
        scale = scale.max(alpha);
        out.alpha.push(alpha);
        out.u.push(scaled(&z, alpha));
    }
    Status::Complete
}

fn check_arguments(a: &Dense, start: &[f64], columns: usize) -> Result<(), ReferenceError> {
    if start.len() != a.cols() {
        let (expected, found) = (a.cols(), start.len());
        return Err(ReferenceError::Length {
            what: "the start vector",
            expected,
            found,
        });
    }
    if let Some(row) = start.iter().position(|x| !x.is_finite()) {
        return Err(ReferenceError::NonFinite {
            what: "the start vector",
            row,
            col: 0,
            value: start[row],
        });
    }
    if !(1..=a.cols()).contains(&columns) {
        return Err(ReferenceError::Range {
            what: "the number of columns",
            min: 1,
            max: a.cols(),
            found: columns,
        });
    }
    Ok(())
}

fn orthogonalize(z: &mut [f64], basis: &[Vec<f64>]) {
    for _ in 0..2 {
        let coefficients = basis.iter().map(|q| dot(q, z)).collect::<Vec<_>>();
        for (q, c) in basis.iter().zip(coefficients) {
            add_scaled(z, q, -c);
        }
    }
}

fn times(a: &Dense, x: &[f64]) -> Vec<f64> {
    (0..a.rows()).map(|row| dot(a.row(row), x)).collect()
}

fn times_transposed(a: &Dense, x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.cols()];
    for (row, &weight) in x.iter().enumerate() {
        add_scaled(&mut out, a.row(row), weight);
    }
    out
}

fn add_scaled(out: &mut [f64], x: &[f64], weight: f64) {
    for (out, x) in out.iter_mut().zip(x) {
        *out += weight * x;
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

fn scaled(x: &[f64], norm: f64) -> Vec<f64> {
    x.iter().map(|x| x / norm).collect()
}
