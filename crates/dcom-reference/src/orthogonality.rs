//! How far a set of vectors is from orthonormal.

use rayon::prelude::*;

use crate::error::ReferenceError;

/// Deviation of Q^T Q from the identity, float64.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrthogonalityLoss {
    /// max over i != j of |q_i . q_j|; 0 for a single vector.
    pub max_off_diagonal: f64,
    /// max over i of | ||q_i||^2 - 1 |; 0 for no vectors.
    pub max_diagonal_deviation: f64,
}

/// Measures |Q^T Q - I| for the columns `vectors` of Q, which must be finite and of one length.
pub fn orthogonality_loss(vectors: &[Vec<f32>]) -> Result<OrthogonalityLoss, ReferenceError> {
    let expected = vectors.first().map_or(0, Vec::len);
    for (col, vector) in vectors.iter().enumerate() {
        if vector.len() != expected {
            return Err(ReferenceError::Length {
                what: "a vector",
                expected,
                found: vector.len(),
            });
        }
        if let Some(row) = vector.iter().position(|x| !x.is_finite()) {
            return Err(ReferenceError::NonFinite {
                what: "a vector",
                row,
                col,
                value: f64::from(vector[row]),
            });
        }
    }
    let none = OrthogonalityLoss {
        max_off_diagonal: 0.0,
        max_diagonal_deviation: 0.0,
    };
    let per_vector = (0..vectors.len())
        .into_par_iter()
        .map(|i| OrthogonalityLoss {
            max_off_diagonal: (0..i)
                .map(|j| dot(&vectors[i], &vectors[j]).abs())
                .fold(0.0, f64::max),
            max_diagonal_deviation: (dot(&vectors[i], &vectors[i]) - 1.0).abs(),
        });
    // A maximum does not depend on the order in which threads deliver it.
    Ok(per_vector.reduce(
        || none,
        |a, b| OrthogonalityLoss {
            max_off_diagonal: a.max_off_diagonal.max(b.max_off_diagonal),
            max_diagonal_deviation: a.max_diagonal_deviation.max(b.max_diagonal_deviation),
        },
    ))
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&x, &y)| f64::from(x) * f64::from(y))
        .sum()
}
