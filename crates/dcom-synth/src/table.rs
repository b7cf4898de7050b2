//! The tables of results: one row per design and mapping.

use std::path::Path;

use dcom_report::write_atomic;
use serde::{Deserialize, Serialize};

use crate::error::SynthError;

/// One design, mapped in one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Result {
    /// Its name.
    pub design: String,
    /// `unit` or `tile`.
    pub group: String,
    /// Top module.
    pub module: String,
    /// Parameters that were set.
    pub parameters: String,
    /// `area` or `default`.
    pub mapping: String,
    /// Area of all cells (um2).
    pub area_um2: f64,
    /// Area of flops and clock gates (um2).
    pub sequential_um2: f64,
    /// Area of the others (um2).
    pub combinational_um2: f64,
    /// Number of cells.
    pub cells: u64,
    /// Number of flops.
    pub flops: u64,
    /// Number of clock gates.
    pub clock_gates: u64,
    /// Number of latches: a design with any is refused.
    pub latches: u64,
    /// Number of combinational loops: a design with any is refused.
    pub loops: u64,
    /// Minimum period without wires (ps).
    pub period_ps: f64,
    /// Minimum period with the wire load (ps).
    pub period_wire_ps: f64,
    /// The wire load (fF per fanout).
    pub wire_ff_per_fanout: f64,
    /// Version of yosys.
    pub yosys: String,
    /// Version of OpenSTA.
    pub opensta: String,
    /// File of the library.
    pub liberty: String,
    /// SHA-256 of its text.
    pub liberty_sha256: String,
    /// Cycles with random inputs in which the netlist did what the RTL does, in Verilator; 0 where they
    /// were not compared. A design with a difference is refused.
    pub compared_cycles: u64,
}

/// Results in the order of the designs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The rows.
    pub rows: Vec<Result>,
}

impl Table {
    /// Reads a table; a file that does not exist is an empty one.
    ///
    /// # Errors
    /// The file, with the line.
    pub fn read(path: &Path) -> std::result::Result<Table, SynthError> {
        if !path.exists() {
            return Ok(Table::default());
        }
        let failed = |source| SynthError::Table {
            path: path.to_owned(),
            source,
        };
        let mut reader = csv::Reader::from_path(path).map_err(failed)?;
        let rows = reader.deserialize().collect::<std::result::Result<_, _>>();
        Ok(Table {
            rows: rows.map_err(failed)?,
        })
    }

    /// Puts a row in the place of the one of the same design and mapping, or at the end.
    pub fn put(&mut self, row: Result) {
        let is_same = |r: &&mut Result| r.design == row.design && r.mapping == row.mapping;
        match self.rows.iter_mut().find(is_same) {
            Some(old) => *old = row,
            None => self.rows.push(row),
        }
    }

    /// Writes the table.
    ///
    /// # Errors
    /// The file.
    pub fn write(&self, path: &Path) -> std::result::Result<(), SynthError> {
        write_rows(path, &self.rows)
    }
}

pub(crate) fn write_rows<R: Serialize>(
    path: &Path,
    rows: &[R],
) -> std::result::Result<(), SynthError> {
    let failed = |source| SynthError::Table {
        path: path.to_owned(),
        source,
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(failed)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|e| failed(e.into_error().into()))?;
    write_atomic(path, &bytes).map_err(|e| SynthError::File {
        path: e.path,
        source: e.source,
    })
}
