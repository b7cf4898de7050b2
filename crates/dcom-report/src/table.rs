//! Tables: one source for CSV (exact, for programs), Markdown and terminal text (rounded, for readers).

use std::io::Write;

use unicode_width::UnicodeWidthStr as _;

use crate::error::TableError;
use crate::number::{significant, thousands};

/// The heading of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// What the column holds.
    pub name: String,
    /// Its unit; none for counts, ratios and names.
    pub unit: Option<String>,
}

impl Column {
    /// A column without a unit.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            unit: None,
        }
    }

    /// The same column with a unit.
    #[must_use]
    pub fn unit(self, unit: impl Into<String>) -> Self {
        Self {
            unit: Some(unit.into()),
            ..self
        }
    }

    /// `latency (us)`.
    fn heading(&self) -> String {
        match &self.unit {
            Some(unit) => format!("{} ({unit})", self.name),
            None => self.name.clone(),
        }
    }
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A name; aligned to the left.
    Text(String),
    /// An exact integer; readers see thousands separators, programs do not.
    Integer(i128),
    /// A measured or derived number. CSV has the shortest decimal that reads back as `value`.
    Real {
        /// The number; must be finite.
        value: f64,
        /// Significant digits shown to readers; at least 1.
        digits: usize,
    },
    /// No value: empty in CSV, `-` for readers.
    Missing,
}

impl Cell {
    /// A number shown with `digits` significant digits.
    #[must_use]
    pub fn real(value: f64, digits: usize) -> Self {
        Self::Real { value, digits }
    }

    fn for_programs(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(value) => value.to_string(),
            Self::Real { value, .. } => value.to_string(),
            Self::Missing => String::new(),
        }
    }

    fn for_readers(&self) -> String {
        match self {
            // A line break inside a cell would break both Markdown and the alignment.
            Self::Text(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Self::Integer(value) => thousands(*value),
            Self::Real { value, digits } => significant(*value, *digits),
            Self::Missing => "-".to_owned(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(value: u64) -> Self {
        Self::Integer(value.into())
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Integer(value.into())
    }
}

/// Rows under named columns; every row has one cell per column and every number is finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`TableError::RowLength`], [`TableError::NotFinite`] or [`TableError::NoDigits`]; the table is then unchanged.
    pub fn push(&mut self, row: Vec<Cell>) -> Result<(), TableError> {
        if row.len() != self.columns.len() {
            let names: Vec<String> = self.columns.iter().map(Column::heading).collect();
            return Err(TableError::RowLength {
                cells: row.len(),
                columns: self.columns.len(),
                names: names.join(", "),
            });
        }
        for (column, cell) in self.columns.iter().zip(&row) {
            if let Cell::Real { value, digits } = cell {
                if !value.is_finite() {
                    return Err(TableError::NotFinite {
                        column: column.heading(),
                        value: *value,
                    });
                }
                if *digits == 0 {
                    return Err(TableError::NoDigits {
                        column: column.heading(),
                    });
                }
            }
        }
        self.rows.push(row);
        Ok(())
    }

    /// Writes the heading and the rows as RFC 4180 CSV with `\n` line ends, numbers unrounded.
    ///
    /// # Errors
    /// [`TableError::Csv`] or [`TableError::Io`] when `sink` fails.
    pub fn to_csv(&self, sink: impl Write) -> Result<(), TableError> {
        let mut writer = csv::Writer::from_writer(sink);
        writer.write_record(self.columns.iter().map(Column::heading))?;
        for row in &self.rows {
            writer.write_record(row.iter().map(Cell::for_programs))?;
        }
        writer.flush()?;
        Ok(())
    }

    /// A GitHub-flavoured Markdown table, aligned in its source too.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let grid = self.grid(|text| text.replace('|', "\\|"));
        let rule = grid.columns.iter().map(|column| match column.align {
            Align::Left => "-".repeat(column.width),
            Align::Right => format!("{}:", "-".repeat(column.width - 1)),
        });
        let rule = format!("| {} |\n", rule.collect::<Vec<_>>().join(" | "));
        let mut lines = grid
            .rows
            .iter()
            .map(|row| format!("| {} |\n", grid.line(row, " | ")));
        let heading: String = lines.by_ref().take(1).collect();
        heading + &rule + &lines.collect::<String>()
    }

    /// A table for a terminal: two spaces between columns, a rule under the heading, no space at line ends.
    #[must_use]
    pub fn to_text(&self) -> String {
        let grid = self.grid(str::to_owned);
        let rule: Vec<String> = grid
            .columns
            .iter()
            .map(|column| "-".repeat(column.width))
            .collect();
        let mut lines: Vec<String> = grid.rows.iter().map(|row| grid.line(row, "  ")).collect();
        lines.insert(1, rule.join("  "));
        lines
            .iter()
            .map(|line| format!("{}\n", line.trim_end()))
            .collect()
    }

    fn grid(&self, escape: impl Fn(&str) -> String) -> Grid {
        let heading = self
            .columns
            .iter()
            .map(|column| escape(&column.heading()))
            .collect();
        let body = self
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| escape(&cell.for_readers())).collect());
        let rows: Vec<Vec<String>> = std::iter::once(heading).chain(body).collect();
        let columns = (0..self.columns.len()).map(|index| GridColumn {
            // Three dashes are the least that every Markdown reader takes for a rule.
            width: rows
                .iter()
                .map(|row| row[index].width())
                .fold(3, usize::max),
            align: if self
                .rows
                .iter()
                .any(|row| matches!(row[index], Cell::Integer(_) | Cell::Real { .. }))
            {
                Align::Right
            } else {
                Align::Left
            },
        });
        Grid {
            columns: columns.collect(),
            rows,
        }
    }
}

/// The cells as text, the heading first, and how wide each column is.
struct Grid {
    columns: Vec<GridColumn>,
    rows: Vec<Vec<String>>,
}

struct GridColumn {
    width: usize,
    align: Align,
}

enum Align {
    Left,
    Right,
}

impl Grid {
    fn line(&self, row: &[String], separator: &str) -> String {
        let padded = self.columns.iter().zip(row).map(|(column, text)| {
            let space = " ".repeat(column.width - text.width());
            match column.align {
                Align::Left => format!("{text}{space}"),
                Align::Right => format!("{space}{text}"),
            }
        });
        padded.collect::<Vec<_>>().join(separator)
    }
}
