//! What the references reject.

use thiserror::Error;

/// Why a reference cannot be computed.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ReferenceError {
    /// An input holds NaN or infinity.
    #[error("{what} has {value} at row {row}, column {col}; all values must be finite")]
    NonFinite {
        /// The input.
        what: &'static str,
        /// Row of the first such value.
        row: usize,
        /// Its column.
        col: usize,
        /// The value.
        value: f64,
    },
    /// An input has the wrong number of values.
    #[error("{what} has {found} values, expected {expected}")]
    Length {
        /// The input.
        what: &'static str,
        /// Values it must have.
        expected: usize,
        /// Values it has.
        found: usize,
    },
    /// Factors do not belong to the matrix.
    #[error(
        "the factors are of a {factor_rows} x {factor_cols} matrix, the matrix is {rows} x {cols}"
    )]
    Shape {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        cols: usize,
        /// Rows of U.
        factor_rows: usize,
        /// Rows of V.
        factor_cols: usize,
    },
    /// A parameter is outside its range.
    #[error("{what} is {found}, expected {min} to {max}")]
    Range {
        /// The parameter.
        what: &'static str,
        /// Smallest accepted value.
        min: usize,
        /// Largest accepted value.
        max: usize,
        /// The value given.
        found: usize,
    },
    /// An iteration did not converge.
    #[error("{what} did not converge in {iterations} iterations")]
    NoConvergence {
        /// The iteration.
        what: &'static str,
        /// Iterations done.
        iterations: usize,
    },
}
