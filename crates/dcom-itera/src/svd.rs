//! The singular value decomposition in float64: the best rank-r error, and the factors of SVD-then-quantize.

use faer::{Mat, MatRef};

use crate::error::IteraError;
use crate::leading::narrow;
use crate::matrix::Weight;

/// All singular triplets of a weight.
pub struct Svd {
    left: Mat<f64>,
    values: Vec<f64>,
    right: Mat<f64>,
}

impl Svd {
    /// Decomposes a weight; seconds for sides of a thousand, minutes for 4096.
    ///
    /// # Errors
    /// The library's iteration does not converge.
    pub fn new(weight: &Weight) -> Result<Svd, IteraError> {
        let (rows, cols) = (weight.rows(), weight.cols());
        let values: Vec<f64> = weight.data().iter().map(|&x| f64::from(x)).collect();
        let svd = MatRef::from_row_major_slice(&values, rows, cols)
            .thin_svd()
            .map_err(|_| IteraError::Dense {
                what: "singular value decomposition",
                rows,
                cols,
            })?;
        Ok(Svd {
            left: svd.U().to_owned(),
            values: svd.S().column_vector().iter().copied().collect(),
            right: svd.V().to_owned(),
        })
    }

    /// Singular values, descending.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The best possible error of each rank from 0: sqrt(sum_{i>r} s_i^2 / sum_i s_i^2) (Eckart and Young).
    #[must_use]
    pub fn best_errors(&self) -> Vec<f64> {
        let mut tails = vec![0.0];
        for value in self.values.iter().rev() {
            tails.push(tails.last().expect("starts with one") + value * value);
        }
        tails.reverse();
        let whole = tails[0];
        tails.iter().map(|tail| (tail / whole).sqrt()).collect()
    }

    pub(crate) fn left(&self, k: usize) -> Vec<f32> {
        self.left.col(k).iter().map(|&x| narrow(x)).collect()
    }

    pub(crate) fn right(&self, k: usize) -> Vec<f32> {
        self.right.col(k).iter().map(|&x| narrow(x)).collect()
    }
}
