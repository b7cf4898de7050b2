//! The leading singular values of a large matrix: randomized block Golub-Kahan-Lanczos in float64.
//!
//! Start from a random block of at least r + 8 columns (so a singular value repeated r times is found r times), extend
//! both bases with full re-orthogonalization, and stop when the residual of the r leading Ritz triplets is at most
//! [`TARGET`] x s_1. Method: Golub, Luk and Overton, ACM TOMS 7 (1981) 149; convergence of randomized block Krylov:
//! Musco and Musco, NeurIPS 2015.
//!
//! All products are taken in fixed blocks and summed in a fixed order, so the number of threads does not matter.

use faer::linalg::matmul::matmul;
use faer::prelude::*;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::dense::Dense;
use crate::error::ReferenceError;
use crate::random::Random;

/// Relative residual at which the iteration stops. The values are accurate to about its square over the gap.
const TARGET: f64 = 1e-8;

/// Columns of the start block beyond the rank: they set the convergence rate, sigma_{block+1} / sigma_r.
const OVERSAMPLING: usize = 8;

/// Smallest start block: narrower ones waste the matrix product.
const MIN_BLOCK: usize = 16;

/// Largest Krylov dimension, in start blocks; a flat spectrum may stop here without reaching the target.
const MAX_BLOCKS: usize = 40;

/// A column that re-orthogonalization shrinks below this share of its norm lies in the span of the others.
const DEPENDENT: f64 = 1e-13;

/// Rows per block of the parallel products.
const ROW_BLOCK: usize = 256;

/// The leading Ritz values and what is known about them.
pub(crate) struct Leading {
    /// Descending.
    pub(crate) values: Vec<f64>,
    /// Largest max(||A v_i - s_i u_i||, ||A^T u_i - s_i v_i||).
    pub(crate) max_residual: f64,
    /// ||A V - U S||_F + ||A^T U - V S||_F: E = -(R1 V^T + U R2^T - U (U^T R1) V^T) makes all triplets exact.
    pub(crate) residual_norm: f64,
    pub(crate) block: usize,
    pub(crate) basis: usize,
    pub(crate) converged: bool,
}

/// Finds the `rank` largest singular values, 1 <= `rank` <= shorter side.
pub(crate) fn leading(matrix: &Dense, rank: usize, seed: u64) -> Result<Leading, ReferenceError> {
    let view = matrix.view();
    // The right basis lives on the shorter side: when it fills the space, the result is exact.
    let tall = if view.nrows() >= view.ncols() {
        view
    } else {
        view.transpose()
    };
    let block = (rank + OVERSAMPLING).max(MIN_BLOCK).min(tall.ncols());
    let mut krylov = Krylov::new(tall, block, seed);
    let mut next_check = 2 * block;
    loop {
        let coupling = krylov.step();
        let basis = krylov.right.ncols();
        let full = krylov.next.ncols() == 0 || basis >= MAX_BLOCKS * block;
        // The small SVD grows with the cube of the basis: do it only now and then.
        if !full && basis < next_check {
            continue;
        }
        next_check = basis + (basis / 4).max(block);
        let ritz = Ritz::new(&krylov, rank)?;
        let estimate = ritz.estimate(&coupling);
        let converged = estimate <= TARGET * ritz.values[0];
        if converged || full {
            return Ok(ritz.measure(tall, &krylov, block, converged));
        }
    }
}

/// Two orthonormal bases with A right = left B and A^T left = right B^T + next coupling.
struct Krylov<'a> {
    a: MatRef<'a, f64>,
    left: Mat<f64>,
    right: Mat<f64>,
    b: Mat<f64>,
    /// The block that extends `right` in the next step; empty when the space is exhausted.
    next: Mat<f64>,
    block: usize,
    random: Random,
}

impl<'a> Krylov<'a> {
    fn new(a: MatRef<'a, f64>, block: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let empty = |rows| Mat::zeros(rows, 0);
        let (left, right) = (empty(a.nrows()), empty(a.ncols()));
        let next =
            orthonormalize(random_block(&mut random, a.ncols(), block), right.as_ref()).basis;
        Self {
            a,
            left,
            right,
            b: Mat::zeros(0, 0),
            next,
            block,
            random,
        }
    }

    /// Takes `next` into the right basis and its image into the left one. Returns the coupling of the last left block
    /// to the new `next`, whose rows count the columns of `next` and whose columns those of the last left block.
    fn step(&mut self) -> Mat<f64> {
        let right_before = self.right.ncols();
        self.right = joined(self.right.as_ref(), self.next.as_ref());
        let image = orthonormalize(product(self.a, self.next.as_ref()), self.left.as_ref());
        let left_before = self.left.ncols();
        self.left = joined(self.left.as_ref(), image.basis.as_ref());

        let mut b = Mat::zeros(self.left.ncols(), self.right.ncols());
        b.submatrix_mut(0, 0, left_before, right_before)
            .copy_from(&self.b);
        let added = self.next.ncols();
        b.submatrix_mut(0, right_before, left_before, added)
            .copy_from(&image.onto_basis);
        b.submatrix_mut(left_before, right_before, image.basis.ncols(), added)
            .copy_from(&image.within);
        self.b = b;

        let back = orthonormalize(
            product(self.a.transpose(), image.basis.as_ref()),
            self.right.as_ref(),
        );
        let (mut next, mut coupling) = (back.basis, back.within);
        if next.ncols() == 0 && self.right.ncols() < self.a.ncols() {
            // An invariant subspace: go on with a fresh random block, which nothing couples to.
            let width = self.block.min(self.a.ncols() - self.right.ncols());
            let fresh = random_block(&mut self.random, self.a.ncols(), width);
            next = orthonormalize(fresh, self.right.as_ref()).basis;
            coupling = Mat::zeros(next.ncols(), coupling.ncols());
        }
        self.next = next;
        coupling
    }
}

/// The leading singular triplets of B, values padded with zeros to the rank.
struct Ritz {
    values: Vec<f64>,
    left: Mat<f64>,
    right: Mat<f64>,
}

impl Ritz {
    fn new(krylov: &Krylov<'_>, rank: usize) -> Result<Self, ReferenceError> {
        let b = krylov.b.as_ref();
        let found = rank.min(b.nrows()).min(b.ncols());
        if found == 0 {
            let (left, right) = (Mat::zeros(b.nrows(), 0), Mat::zeros(b.ncols(), 0));
            return Ok(Self {
                values: vec![0.0; rank],
                left,
                right,
            });
        }
        let svd = b.thin_svd().map_err(|_| ReferenceError::NoConvergence {
            what: "the SVD of the projected matrix",
            iterations: b.ncols(),
        })?;
        let mut values = svd
            .S()
            .column_vector()
            .iter()
            .copied()
            .take(found)
            .collect::<Vec<_>>();
        values.resize(rank, 0.0);
        Ok(Self {
            values,
            left: svd.U().subcols(0, found).to_owned(),
            right: svd.V().subcols(0, found).to_owned(),
        })
    }

    /// Residual of the worst triplet as the recurrence implies it: only the last left block is coupled to `next`.
    fn estimate(&self, coupling: &Mat<f64>) -> f64 {
        let last = self.left.nrows() - coupling.ncols();
        let ends = self.left.subrows(last, coupling.ncols());
        let residual = coupling * ends;
        residual
            .col_iter()
            .map(|column| column.norm_l2())
            .fold(0.0, f64::max)
    }

    fn measure(
        self,
        a: MatRef<'_, f64>,
        krylov: &Krylov<'_>,
        block: usize,
        converged: bool,
    ) -> Leading {
        let left = product(krylov.left.as_ref(), self.left.as_ref());
        let right = product(krylov.right.as_ref(), self.right.as_ref());
        let forward = residual_norms(product(a, right.as_ref()), left.as_ref(), &self.values);
        let backward = residual_norms(
            product(a.transpose(), left.as_ref()),
            right.as_ref(),
            &self.values,
        );
        let frobenius = |norms: &[f64]| norms.iter().map(|x| x * x).sum::<f64>().sqrt();
        Leading {
            max_residual: forward.iter().chain(&backward).copied().fold(0.0, f64::max),
            residual_norm: frobenius(&forward) + frobenius(&backward),
            values: self.values,
            block,
            basis: krylov.right.ncols(),
            converged,
        }
    }
}

/// Norm of each column of `image` - `vectors` diag(`values`).
fn residual_norms(image: Mat<f64>, vectors: MatRef<'_, f64>, values: &[f64]) -> Vec<f64> {
    image
        .col_iter()
        .zip(vectors.col_iter())
        .zip(values)
        .map(|((image, vector), value)| (image - vector * Scale(*value)).norm_l2())
        .collect()
}

/// block = `against` onto_basis + basis within.
struct Orthonormal {
    basis: Mat<f64>,
    onto_basis: Mat<f64>,
    within: Mat<f64>,
}

/// Orthonormalizes `block` against the orthonormal `against` and within itself, dropping dependent columns.
///
/// Two passes: the first may divide by a small norm and so enlarge what is left along `against`; the second removes it
/// ("twice is enough", Parlett, The Symmetric Eigenvalue Problem, 6.9).
fn orthonormalize(block: Mat<f64>, against: MatRef<'_, f64>) -> Orthonormal {
    let first = orthonormalize_once(block, against);
    let second = orthonormalize_once(first.basis, against);
    Orthonormal {
        basis: second.basis,
        onto_basis: first.onto_basis + &second.onto_basis * &first.within,
        within: &second.within * &first.within,
    }
}

fn orthonormalize_once(mut block: Mat<f64>, against: MatRef<'_, f64>) -> Orthonormal {
    let width = block.ncols();
    let before = block
        .col_iter()
        .map(|column| column.norm_l2())
        .collect::<Vec<_>>();
    let onto_basis = projection(against, block.as_ref());
    subtract(block.as_mut(), against, onto_basis.as_ref());
    let mut kept = 0;
    let mut within = Mat::<f64>::zeros(width, width);
    for column in 0..width {
        // Kept columns move to the front, so 0..kept is the basis so far.
        if kept < column {
            let (mut front, back) = block.as_mut().split_at_col_mut(column);
            front.rb_mut().col_mut(kept).copy_from(back.col(0));
        }
        let (basis, rest) = block.as_mut().split_at_col_mut(kept);
        let mut current = rest.col_mut(0);
        for _ in 0..2 {
            let coefficients = basis.rb().transpose() * current.rb();
            current -= basis.rb() * &coefficients;
            for row in 0..kept {
                within[(row, column)] += coefficients[row];
            }
        }
        let norm = current.norm_l2();
        if norm > DEPENDENT * before[column] {
            within[(kept, column)] = norm;
            current.iter_mut().for_each(|x| *x /= norm);
            kept += 1;
        }
    }
    Orthonormal {
        basis: block.subcols(0, kept).to_owned(),
        onto_basis,
        within: within.subrows(0, kept).to_owned(),
    }
}

/// `a` x, in parallel over blocks of rows.
fn product(a: MatRef<'_, f64>, x: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), x.ncols());
    out.as_mut()
        .par_row_chunks_mut(ROW_BLOCK)
        .zip(a.par_row_chunks(ROW_BLOCK))
        .for_each(|(out, a)| matmul(out, Accum::Replace, a, x, 1.0, Par::Seq));
    out
}

/// `basis`^T `block`: partial sums over blocks of rows, added in order.
fn projection(basis: MatRef<'_, f64>, block: MatRef<'_, f64>) -> Mat<f64> {
    let parts = basis
        .par_row_chunks(ROW_BLOCK)
        .zip(block.par_row_chunks(ROW_BLOCK))
        .map(|(basis, block)| {
            let mut out = Mat::zeros(basis.ncols(), block.ncols());
            matmul(
                out.as_mut(),
                Accum::Replace,
                basis.transpose(),
                block,
                1.0,
                Par::Seq,
            );
            out
        })
        .collect::<Vec<_>>();
    parts
        .iter()
        .fold(Mat::zeros(basis.ncols(), block.ncols()), |sum, part| {
            sum + part
        })
}

/// `block` -= `basis` `coefficients`.
fn subtract(mut block: MatMut<'_, f64>, basis: MatRef<'_, f64>, coefficients: MatRef<'_, f64>) {
    block
        .rb_mut()
        .par_row_chunks_mut(ROW_BLOCK)
        .zip(basis.par_row_chunks(ROW_BLOCK))
        .for_each(|(block, basis)| matmul(block, Accum::Add, basis, coefficients, -1.0, Par::Seq));
}

fn joined(first: MatRef<'_, f64>, second: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(first.nrows(), first.ncols() + second.ncols());
    out.subcols_mut(0, first.ncols()).copy_from(first);
    out.subcols_mut(first.ncols(), second.ncols())
        .copy_from(second);
    out
}

fn random_block(random: &mut Random, rows: usize, cols: usize) -> Mat<f64> {
    Mat::from_fn(rows, cols, |_, _| f64::from(random.normal()))
}
