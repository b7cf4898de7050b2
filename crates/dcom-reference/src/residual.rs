//! What factors miss of a matrix, as a matrix, and what a linear layer makes of that.
//!
//! [`crate::reconstruction`] gives the errors alone with less memory; here the difference itself is kept, so that parts of
//! a matrix may be approximated in different ways, and multiplied by weights.

use dcom_tensor::{Factors, Matrix};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use crate::dense::Dense;
use crate::error::ReferenceError;
use crate::reconstruction::{Errors, Squares, check, errors};

/// Rows of a weight matrix that are multiplied at a time: bounds the memory of the product.
const BLOCK: usize = 256;

/// `matrix` (S x H) less the product of `factors`.
///
/// # Errors
/// Factors of another shape, or values that are not finite.
pub fn residual(matrix: &Matrix, factors: &Factors) -> Result<Dense, ReferenceError> {
    check(matrix, factors)?;
    let dense = Dense::from(matrix);
    dense.require_finite()?;
    let (cols, rank) = (dense.cols(), factors.rank());
    let mut data = dense.data().to_vec();
    data.par_chunks_exact_mut(cols)
        .enumerate()
        .for_each(|(row, values)| {
            let u = &factors.u()[row * rank..][..rank];
            let weights: Vec<f64> = u
                .iter()
                .zip(factors.s())
                .map(|(u, s)| f64::from(*u) * f64::from(*s))
                .collect();
            for (value, v) in values.iter_mut().zip(factors.v().chunks_exact(rank)) {
                for (weight, v) in weights.iter().zip(v) {
                    *value -= weight * f64::from(*v);
                }
            }
        });
    Dense::new(dense.rows(), cols, data)
}

/// The errors of an approximation of `matrix` that misses `residual`.
///
/// # Errors
/// A residual of another shape.
pub fn residual_errors(matrix: &Matrix, residual: &Dense) -> Result<Errors, ReferenceError> {
    if (matrix.rows(), matrix.cols()) != (residual.rows(), residual.cols()) {
        return Err(ReferenceError::Length {
            what: "the residual",
            expected: matrix.rows() * matrix.cols(),
            found: residual.data().len(),
        });
    }
    let original = Dense::from(matrix);
    original.require_finite()?;
    let sum = |row: &[f64]| row.iter().map(|x| x * x).sum();
    let squares: Vec<Squares> = (0..matrix.rows())
        .map(|row| Squares {
            residual: sum(residual.row(row)),
            original: sum(original.row(row)),
        })
        .collect();
    Ok(errors(&squares))
}

/// || left weight^T ||_F for `weight` of output x input channels, as linear layers store it.
///
/// # Errors
/// A weight with other input channels than `left` has columns.
pub fn product_frobenius(left: &Dense, weight: &Matrix) -> Result<f64, ReferenceError> {
    if left.cols() != weight.cols() {
        return Err(ReferenceError::Length {
            what: "a row of the weight",
            expected: left.cols(),
            found: weight.cols(),
        });
    }
    let blocks: Vec<usize> = (0..weight.rows()).step_by(BLOCK).collect();
    let square = |first: &usize| {
        let rows = BLOCK.min(weight.rows() - first);
        let mut values = vec![0.0_f32; rows * weight.cols()];
        for (row, values) in values.chunks_exact_mut(weight.cols()).enumerate() {
            weight.row_to_f32(first + row, values);
        }
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let block = MatRef::from_row_major_slice(&values, rows, weight.cols());
        let mut product = Mat::<f64>::zeros(left.rows(), rows);
        matmul(
            product.as_mut(),
            Accum::Replace,
            left.view(),
            block.transpose(),
            1.0,
            Par::Seq,
        );
        product
            .col_iter()
            .map(|column| column.iter().map(|x| x * x).sum::<f64>())
            .sum::<f64>()
    };
    // Collected in order, so that the sum does not depend on the number of threads.
    let squares: Vec<f64> = blocks.par_iter().map(square).collect();
    Ok(squares.iter().sum::<f64>().sqrt())
}
