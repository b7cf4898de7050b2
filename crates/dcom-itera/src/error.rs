//! What is refused.

use thiserror::Error;

/// Why a matrix cannot be decomposed, or a format, layer or machine is none.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum IteraError {
    /// A value is NaN or infinite.
    #[error("{value} at row {row}, column {col}; all values must be finite")]
    NonFinite {
        /// Row of the first such value.
        row: usize,
        /// Its column.
        col: usize,
        /// The value.
        value: f32,
    },
    /// The values are not a matrix.
    #[error("a {rows} x {cols} matrix needs rows x cols values, both at least 1; {len} were given")]
    Shape {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
        /// Values given.
        len: usize,
    },
    /// All values are zero, so errors relative to the norm do not exist.
    #[error("all values of the {rows} x {cols} matrix are zero: there is nothing to decompose")]
    Zero {
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
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
    /// A quantity must be positive.
    #[error("{what} is {value}, expected a finite number above 0")]
    NotPositive {
        /// The quantity with its unit.
        what: &'static str,
        /// The value given.
        value: f64,
    },
    /// No format has this name.
    #[error("no number format `{found}`{}; known: {known}", did_you_mean(suggestion.as_deref()))]
    UnknownFormat {
        /// The name given.
        found: String,
        /// The nearest known name.
        suggestion: Option<String>,
        /// All names.
        known: String,
    },
    /// The power iteration did not converge.
    #[error(
        "term {term}: after {passes} passes over the residual the leading pair has a relative residual of \
         {residual:.1e}, {tolerance:.1e} was asked for"
    )]
    NoConvergence {
        /// The rank-1 term, from 1.
        term: usize,
        /// Passes spent on it.
        passes: usize,
        /// What was reached.
        residual: f64,
        /// What was asked for.
        tolerance: f64,
    },
    /// A dense decomposition of the linear algebra library failed.
    #[error("the {what} of a {rows} x {cols} matrix did not converge")]
    Dense {
        /// The decomposition.
        what: &'static str,
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
    },
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!(", did you mean `{name}`?"))
}
