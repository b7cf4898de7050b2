//! The rows a plot is about, in groups and with names for them.

use std::collections::BTreeMap;

use super::data::{Data, Record};
use super::error::PlotError;
use super::expr::Expr;
use super::filter::Filter;
use super::section::At;

/// The column that says whether a row has results.
pub(crate) const STATUS: &str = "status";
/// Its value for a row that has.
const OK: &str = "ok";

/// Rows that passed the filter.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    data: &'a Data,
    /// With results.
    pub(crate) ok: Vec<Row<'a>>,
    /// Without.
    pub(crate) failed: Vec<Row<'a>>,
}

/// A row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    data: &'a Data,
    record: &'a Record,
}

impl<'a> Rows<'a> {
    /// # Errors
    /// No row is left, or none with results.
    pub(crate) fn new(data: &'a Data, filter: &Filter) -> Result<Self, PlotError> {
        let rows = data.records.iter().map(|record| Row { data, record });
        let passed = rows.filter(|row| filter.passes(|column| row.text(column)));
        let (ok, failed): (Vec<_>, Vec<_>) =
            passed.partition(|row| row.named(STATUS).is_none_or(|status| status == OK));
        let rows = Self { data, ok, failed };
        if !rows.ok.is_empty() {
            return Ok(rows);
        }
        let all = data.records.len();
        let message = if rows.failed.is_empty() {
            format!("the filter of the spec leaves none of {all} rows")
        } else {
            format!("no row to plot has a result: {}", rows.failures())
        };
        Err(PlotError::Result {
            file: data.file.clone(),
            message,
        })
    }

    /// What is left out, in words; none if nothing is.
    pub(crate) fn note(&self) -> Option<String> {
        let (failed, all) = (self.failed.len(), self.failed.len() + self.ok.len());
        (failed > 0).then(|| format!("{failed} of {all} rows are not drawn: {}", self.failures()))
    }

    fn failures(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &self.failed {
            let status = row.named(STATUS).unwrap_or_default();
            *counts.entry(status).or_default() += 1;
        }
        let counts = counts
            .iter()
            .map(|(status, count)| format!("{count} {status}"));
        counts.collect::<Vec<_>>().join(", ")
    }

    /// The rows with results, in groups of equal cells; sorted by number where a column has numbers alone, else in the
    /// order of the file.
    pub(crate) fn groups(&self, columns: &[At<String>]) -> Vec<(Vec<&'a str>, Vec<Row<'a>>)> {
        let mut groups: Vec<(Vec<&'a str>, Vec<Row<'a>>)> = Vec::new();
        let mut places: BTreeMap<Vec<&'a str>, usize> = BTreeMap::new();
        for row in &self.ok {
            let key: Vec<&str> = columns.iter().map(|column| row.text(column)).collect();
            let place = *places.entry(key.clone()).or_insert_with(|| {
                groups.push((key, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(*row);
        }
        let numeric: Vec<bool> = (0..columns.len())
            .map(|index| {
                groups
                    .iter()
                    .all(|(key, _)| key[index].parse::<f64>().is_ok())
            })
            .collect();
        let order = |key: &[&str]| -> Vec<f64> {
            let numbers = key.iter().zip(&numeric).filter(|(_, numeric)| **numeric);
            numbers.filter_map(|(cell, _)| cell.parse().ok()).collect()
        };
        groups.sort_by(|(a, _), (b, _)| {
            let (a, b) = (order(a), order(b));
            let pairs = a.iter().zip(&b).map(|(a, b)| a.total_cmp(b));
            pairs.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        groups
    }

    /// The different values of a column over all rows, with results or without; in the order of [`Rows::groups`].
    pub(crate) fn values(&self, column: &At<String>) -> Vec<&'a str> {
        let both = Rows {
            data: self.data,
            ok: self.ok.iter().chain(&self.failed).copied().collect(),
            failed: Vec::new(),
        };
        let groups = both.groups(std::slice::from_ref(column));
        groups
            .into_iter()
            .filter_map(|(key, _)| key.first().copied())
            .collect()
    }

    /// The value of a formula that must be the same in every row.
    pub(crate) fn common(&self, formula: &Expr) -> Result<f64, PlotError> {
        let mut common: Option<f64> = None;
        for row in &self.ok {
            let value = row.number(formula)?;
            if let Some(other) = common.filter(|other| *other != value) {
                return Err(formula.text.error(format!(
                    "`{}` is {other} in some rows and {value} in others; filter the rows or give a number",
                    formula.text.value
                )));
            }
            common = Some(value);
        }
        Ok(common.expect("there is at least one row"))
    }
}

impl<'a> Row<'a> {
    /// The text of a column that the spec names.
    pub(crate) fn text(&self, column: &At<String>) -> &'a str {
        self.named(&column.value)
            .expect("the columns of the spec are kept")
    }

    fn named(&self, column: &str) -> Option<&'a str> {
        let index = self.data.columns.iter().position(|name| name == column)?;
        Some(&self.record.cells[index])
    }

    pub(crate) fn number(&self, formula: &Expr) -> Result<f64, PlotError> {
        let value = formula.value(|column| {
            let cell = self.text(column);
            match cell.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(number),
                Ok(_) | Err(_) if cell.is_empty() => {
                    Err(self.error(format!("column `{}` is empty", column.value)))
                }
                Ok(_) | Err(_) => Err(self.error(format!(
                    "column `{}` has \"{cell}\", which is not a finite number",
                    column.value
                ))),
            }
        })?;
        if value.is_finite() {
            Ok(value)
        } else {
            Err(self.error(format!("`{}` comes to {value}", formula.text.value)))
        }
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> PlotError {
        PlotError::Row {
            file: self.data.file.clone(),
            row: self.record.place,
            message: message.into(),
        }
    }

    pub(crate) fn place(&self) -> u64 {
        self.record.place
    }
}
