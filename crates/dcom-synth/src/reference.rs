//! Units measured elsewhere with the same library, and how the project's own compare.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::SynthError;
use crate::table::{Table, write_rows};

/// A measured design, by the name of the project's counterpart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Name of the project's design.
    pub design: String,
    /// `area` or `default`.
    pub mapping: String,
    /// Area (um2).
    pub area_um2: f64,
    /// Flops, where they were counted.
    pub flops: Option<u64>,
    /// Minimum period without wires (ps), where it was measured.
    pub period_ps: Option<f64>,
    /// Minimum period with 0.3 fF per fanout (ps), where it was measured.
    pub period_wire_ps: Option<f64>,
    /// Where the figures come from, and what is not the same design.
    pub note: String,
}

/// A result beside its reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Name of the design.
    pub design: String,
    /// `area` or `default`.
    pub mapping: String,
    /// Area of the project's (um2).
    pub area_um2: f64,
    /// Area of the reference (um2).
    pub measured_um2: f64,
    /// How much larger the project's is (percent).
    pub area_percent: f64,
    /// Flops of the project's.
    pub flops: u64,
    /// Flops of the reference.
    pub measured_flops: Option<u64>,
    /// Minimum period of the project's without wires (ps).
    pub period_ps: f64,
    /// Minimum period of the reference (ps).
    pub measured_period_ps: Option<f64>,
    /// What to know of the reference.
    pub note: String,
}

impl Reference {
    /// Reads a table of measured designs.
    ///
    /// # Errors
    /// The file, with the line.
    pub fn read(path: &Path) -> Result<Vec<Reference>, SynthError> {
        let failed = |source| SynthError::Table {
            path: path.to_owned(),
            source,
        };
        let mut reader = csv::Reader::from_path(path).map_err(failed)?;
        reader
            .deserialize()
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}

impl Comparison {
    /// Every result that has a reference, in the order of the references.
    #[must_use]
    pub fn all(table: &Table, references: &[Reference]) -> Vec<Comparison> {
        let mut all = Vec::new();
        for reference in references {
            let is_same = |r: &&crate::table::Result| {
                r.design == reference.design && r.mapping == reference.mapping
            };
            let Some(row) = table.rows.iter().find(is_same) else {
                continue;
            };
            let ratio = row.area_um2 / reference.area_um2;
            all.push(Comparison {
                design: row.design.clone(),
                mapping: row.mapping.clone(),
                area_um2: row.area_um2,
                measured_um2: reference.area_um2,
                area_percent: (1000.0 * (ratio - 1.0)).round() / 10.0,
                flops: row.flops,
                measured_flops: reference.flops,
                period_ps: row.period_ps,
                measured_period_ps: reference.period_ps,
                note: reference.note.clone(),
            });
        }
        all
    }

    /// Writes a table of comparisons.
    ///
    /// # Errors
    /// The file.
    pub fn write(path: &Path, rows: &[Comparison]) -> Result<(), SynthError> {
        write_rows(path, rows)
    }
}
