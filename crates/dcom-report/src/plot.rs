//! Figures from result files alone: a result is any CSV or Parquet file with named columns, a spec is a TOML file that
//! says which of them to draw and how. `docs/plots.md` describes every key.
//!
//! Rows whose `status` column is not `ok` are design points without a result: no kind draws them as one, and how many
//! there are is a note of the [`Plot`] and part of the provenance in the file.
//!
//! Reading order: `spec` (what every kind has), `section` (TOML with places), `data` and `rows` (results), `expr` and
//! `filter` (what is computed from columns), then the kinds.

mod bars;
mod data;
mod error;
mod expr;
mod filter;
mod heat;
mod line;
mod pareto;
mod roofline;
mod rows;
mod section;
mod spec;
mod tornado;

#[cfg(test)]
mod tests;

pub use error::PlotError;
pub use spec::{Plot, Spec};
