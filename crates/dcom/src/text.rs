//! Pieces of printed reports: aligned facts, sections with a table, percentages, CSV of one record.

use dcom_report::{Cell, Column, Table};

use crate::failure::Failure;

/// Label and value, one pair per line.
#[derive(Default)]
pub(crate) struct Facts(Vec<(&'static str, String)>);

impl Facts {
    pub(crate) fn add(&mut self, label: &'static str, value: impl Into<String>) {
        self.0.push((label, value.into()));
    }

    /// The lines, indented, values below each other.
    pub(crate) fn to_text(&self) -> String {
        let width = self
            .0
            .iter()
            .map(|(label, _)| label.len())
            .max()
            .unwrap_or_default();
        self.0
            .iter()
            .map(|(label, value)| format!("  {label:width$}   {value}\n"))
            .collect()
    }
}

/// A table; empty rows make an empty text.
pub(crate) fn section(columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new(columns);
    for row in rows {
        table.push(row).expect("one finite cell per column");
    }
    table
        .to_text()
        .lines()
        .map(|line| format!("  {line}\n"))
        .fold(String::from("\n"), |text, line| text + &line)
}

/// A ratio as a percentage with one decimal.
pub(crate) fn percent(ratio: f64) -> String {
    match fixed_cell(100.0 * ratio, 1) {
        Cell::Text(text) => text,
        _ => format!("{:.1}", 100.0 * ratio),
    }
}

/// The same as a cell; nothing for nothing.
pub(crate) fn percent_cell(ratio: f64) -> Cell {
    if ratio == 0.0 {
        Cell::Missing
    } else {
        fixed_cell(100.0 * ratio, 1)
    }
}

/// A number with so many decimals, so that a column of them lines up; `<0.1` for what rounds to zero.
pub(crate) fn fixed_cell(value: f64, decimals: usize) -> Cell {
    let text = format!("{value:.decimals$}");
    let digits = text
        .trim_start_matches(['-', '0', '.'])
        .bytes()
        .filter(u8::is_ascii_digit)
        .count();
    let whole = text.parse::<f64>().unwrap_or(value);
    match digits {
        0 if value == 0.0 => Cell::Integer(0),
        0 => Cell::Text(format!(
            "<{:.decimals$}",
            0.1_f64.powi(i32::try_from(decimals).unwrap_or(1))
        )),
        digits => Cell::real(whole, digits),
    }
}

/// A count as a cell; nothing for nothing.
pub(crate) fn count_cell(count: u64) -> Cell {
    if count == 0 {
        Cell::Missing
    } else {
        count.into()
    }
}

/// One record as CSV: a line of names and a line of values.
#[derive(Default)]
pub(crate) struct Record {
    names: Vec<String>,
    values: Vec<String>,
}

impl Record {
    pub(crate) fn add(&mut self, name: impl Into<String>, value: impl ToString) {
        self.names.push(name.into());
        self.values.push(value.to_string());
    }

    /// A value that may be missing.
    pub(crate) fn add_some(&mut self, name: impl Into<String>, value: Option<impl ToString>) {
        self.add(
            name,
            value.map(|value| value.to_string()).unwrap_or_default(),
        );
    }

    pub(crate) fn to_csv(&self) -> Result<String, Failure> {
        let internal = |error: &dyn std::error::Error| Failure::Internal(error.to_string());
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.names).map_err(|e| internal(&e))?;
        writer
            .write_record(&self.values)
            .map_err(|e| internal(&e))?;
        let bytes = writer.into_inner().map_err(|e| internal(&e))?;
        String::from_utf8(bytes).map_err(|e| internal(&e))
    }
}
