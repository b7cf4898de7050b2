//! The leading singular pair of a residual that changes by one rank-1 term at a time.
//!
//! Power iteration alone needs hundreds of passes where singular values are close. So the iterates are kept: `basis` spans the
//! directions seen so far, `images` is R times it and `products` is R^T R times it. The best vector in that space (Rayleigh-Ritz)
//! is the next iterate, and the part of its product outside the space joins the basis, as in Lanczos iteration with thick
//! restart (Wu and Simon, SIAM J. Matrix Anal. Appl. 22 (2000) 602). When a term has been subtracted, images and products are
//! updated without a pass over R: that is the warm start.
//!
//! A pair counts as converged when one true power step confirms it: ||R^T R v - s^2 v|| <= tolerance s^2.

use faer::{Mat, Side};
use rayon::prelude::*;

use crate::error::IteraError;
use crate::matrix::{Subtracted, Weight, add_scaled, dot, energy};

/// Vectors in the basis before it is compressed, and after.
const MOST: usize = 64;
const KEPT: usize = 40;

/// Passes for one pair. Convergence in the ranks of interest takes fewer than a hundred.
const MAX_PASSES: usize = 5000;

/// A new direction shorter than this part of its product is rounding noise: the basis spans all there is.
const NOISE: f64 = 1e-6;

/// A singular triplet.
pub(crate) struct Pair {
    pub(crate) left: Vec<f32>,
    pub(crate) value: f64,
    pub(crate) right: Vec<f32>,
    /// ||R^T R v - s^2 v|| / s^2, from a power step with R itself.
    pub(crate) residual: f64,
}

/// The subspace that power iterations of one residual have seen.
#[derive(Default)]
pub(crate) struct Subspace {
    basis: Vec<Vec<f32>>,
    images: Vec<Vec<f32>>,
    products: Vec<Vec<f32>>,
    /// images^T images, by columns.
    gram: Vec<Vec<f64>>,
    /// Passes over the residual so far.
    pub(crate) passes: u64,
}

/// The best vector of the subspace, its image and its product.
struct Ritz {
    vector: Vec<f32>,
    image: Vec<f32>,
    product: Vec<f32>,
}

impl Subspace {
    /// The leading pair of `residual`, which must be the matrix that all earlier calls and updates spoke of.
    pub(crate) fn leading(
        &mut self,
        residual: &Weight,
        tolerance: f64,
        term: usize,
    ) -> Result<Pair, IteraError> {
        if self.basis.is_empty() {
            self.insert(residual, residual.largest_row().to_vec());
        }
        let mut reached = f64::INFINITY;
        for _ in 0..MAX_PASSES {
            let ritz = self.ritz(residual)?;
            let square = energy(&ritz.image);
            let mut outside = ritz.product.clone();
            add_scaled(&mut outside, narrow(-square), &ritz.vector);
            reached = energy(&outside).sqrt() / square;
            if reached <= tolerance || !self.extends(&mut outside, square) {
                let pair = self.confirm(residual, &ritz);
                reached = pair.residual;
                if reached <= tolerance {
                    return Ok(pair);
                }
                // Rounding has gathered in the stored products: start again from the best vector.
                self.clear();
                outside = ritz.vector;
            }
            self.insert(residual, outside);
        }
        Err(IteraError::NoConvergence {
            term,
            passes: MAX_PASSES,
            residual: reached,
            tolerance,
        })
    }

    /// Follows R <- R - a b^T.
    pub(crate) fn follow(&mut self, a: &[f32], b: &[f32], new: &Subtracted) {
        let mut old_transposed = new.transposed_left.clone();
        add_scaled(&mut old_transposed, narrow(energy(a)), b);
        self.basis
            .par_iter()
            .zip(&mut self.images)
            .zip(&mut self.products)
            .for_each(|((vector, image), product)| {
                let weight = dot(b, vector);
                add_scaled(image, -weight, a);
                add_scaled(product, -weight, &old_transposed);
                add_scaled(product, -dot(a, image), b);
            });
        self.gram = self
            .images
            .par_iter()
            .map(|x| products(&self.images, x))
            .collect();
    }

    fn clear(&mut self) {
        self.basis.clear();
        self.images.clear();
        self.products.clear();
        self.gram.clear();
    }

    /// A power step with R itself. The pair is u = R v and R^T u, both normalized: half a step further than v, and what R
    /// loses with it is a projection, so the residual cannot grow.
    fn confirm(&mut self, residual: &Weight, ritz: &Ritz) -> Pair {
        let (mut left, mut right) = residual.power_step(&ritz.vector);
        self.passes += 1;
        let square = energy(&left);
        let mut outside = right.clone();
        add_scaled(&mut outside, narrow(-square), &ritz.vector);
        let length = energy(&right).sqrt();
        scale(&mut left, 1.0 / square.sqrt());
        scale(&mut right, 1.0 / length);
        Pair {
            left,
            value: length / square.sqrt(),
            right,
            residual: energy(&outside).sqrt() / square,
        }
    }

    /// Makes `direction` orthogonal to the basis; false if nothing but noise is left. Two passes of Gram-Schmidt.
    fn extends(&self, direction: &mut [f32], square: f64) -> bool {
        for _ in 0..2 {
            let weights: Vec<f64> = products(&self.basis, direction);
            for (vector, weight) in self.basis.iter().zip(weights) {
                add_scaled(direction, narrow(-weight), vector);
            }
        }
        energy(direction).sqrt() > NOISE * square
    }

    /// Adds a direction that is orthogonal to the basis.
    fn insert(&mut self, residual: &Weight, mut direction: Vec<f32>) {
        let length = energy(&direction).sqrt();
        scale(&mut direction, 1.0 / length);
        let (image, product) = residual.power_step(&direction);
        self.passes += 1;
        self.basis.push(direction);
        self.images.push(image);
        self.products.push(product);
        let column = products(&self.images, self.images.last().expect("just pushed"));
        for (old, &entry) in self.gram.iter_mut().zip(&column) {
            old.push(entry);
        }
        self.gram.push(column);
    }

    /// The leading Ritz vector; compresses a full basis to its leading ones.
    fn ritz(&mut self, residual: &Weight) -> Result<Ritz, IteraError> {
        let size = self.basis.len();
        let gram = Mat::from_fn(size, size, |i, j| self.gram[j][i]);
        let eigen = gram
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| IteraError::Dense {
                what: "eigenvalue decomposition",
                rows: size,
                cols: size,
            })?;
        let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
        let mut order: Vec<usize> = (0..size).collect();
        order.sort_by(|&i, &j| values[j].total_cmp(&values[i]));
        let coefficients =
            |k: usize| -> Vec<f32> { (0..size).map(|i| narrow(eigen.U()[(i, k)])).collect() };
        if size >= MOST.min(residual.cols()) && size > KEPT {
            let kept: Vec<Vec<f32>> = order[..KEPT].iter().map(|&k| coefficients(k)).collect();
            for vectors in [&mut self.basis, &mut self.images, &mut self.products] {
                *vectors = kept
                    .par_iter()
                    .map(|weights| combine(vectors, weights))
                    .collect();
            }
            self.gram = self
                .images
                .par_iter()
                .map(|x| products(&self.images, x))
                .collect();
            return self.ritz(residual);
        }
        let weights = coefficients(order[0]);
        let vector = combine(&self.basis, &weights);
        Ok(Ritz {
            vector,
            image: combine(&self.images, &weights),
            product: combine(&self.products, &weights),
        })
    }
}

fn products(vectors: &[Vec<f32>], with: &[f32]) -> Vec<f64> {
    vectors.iter().map(|x| f64::from(dot(x, with))).collect()
}

fn combine(vectors: &[Vec<f32>], weights: &[f32]) -> Vec<f32> {
    let mut sum = vec![0.0; vectors[0].len()];
    for (vector, &weight) in vectors.iter().zip(weights) {
        add_scaled(&mut sum, weight, vector);
    }
    sum
}

fn scale(vector: &mut [f32], factor: f64) {
    let factor = narrow(factor);
    vector.iter_mut().for_each(|x| *x *= factor);
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "coefficients of fp32 vectors"
)]
pub(crate) fn narrow(x: f64) -> f32 {
    x as f32
}
