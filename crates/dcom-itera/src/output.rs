//! What approximations of a weight do to its layer's output, on an input that was recorded.

use crate::decompose::{Decomposition, relative_error};
use crate::error::IteraError;
use crate::matrix::Weight;

/// X W^T of a recorded input X.
pub(crate) struct Output<'a> {
    activation: &'a Weight,
    exact: Weight,
}

impl<'a> Output<'a> {
    pub(crate) fn new(weight: &Weight, activation: &'a Weight) -> Result<Output<'a>, IteraError> {
        if activation.cols() != weight.cols() {
            return Err(IteraError::Range {
                what: "the width of the recorded input",
                min: weight.cols(),
                max: weight.cols(),
                found: activation.cols(),
            });
        }
        let exact = multiply(activation, weight.data(), weight.rows());
        Ok(Output {
            activation,
            exact: Weight::new(activation.rows(), weight.rows(), exact)?,
        })
    }

    pub(crate) fn error_of(&self, approximation: &[f32]) -> f64 {
        let output = multiply(self.activation, approximation, self.exact.cols());
        relative_error(&self.exact, &output)
    }

    pub(crate) fn errors_of_terms(&self, found: &Decomposition) -> Vec<f64> {
        let whole = self.exact.energy();
        let mut rest = self.exact.clone();
        let mut errors = vec![1.0];
        for term in &found.terms {
            let image = self.activation.times(&term.right);
            let left = rest.subtract(&image, &term.left);
            errors.push((left.energy / whole).sqrt());
        }
        errors
    }
}

/// X W^T, row-major, for W of `outputs` rows.
fn multiply(activation: &Weight, weight: &[f32], outputs: usize) -> Vec<f32> {
    let inputs = activation.cols();
    let mut out = vec![0.0; activation.rows() * outputs];
    for (index, row) in weight.chunks_exact(inputs).enumerate() {
        for (token, value) in activation.times(row).into_iter().enumerate() {
            out[token * outputs + index] = value;
        }
    }
    out
}
