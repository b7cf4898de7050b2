//! Sweep files: a machine, a workload, a technology, what differs from them, and axes over their keys.
//!
//! `docs/sweeps.md` describes the format. Everything that can be told from the file alone is checked here, before the
//! machine and workload files are read: names, types, ranges, lengths, the number of points.

use std::path::{Path, PathBuf};

use crate::expression::{Expression, Names};
use crate::mistake::{Mistake, SpecError};
use crate::spec_reader::{Raw, Reader, describe, plain, presets};
use dcom_config::{KeyInfo, Source};

/// Most points of one sweep; more is taken for a mistake. A day and more at 100 points per second.
pub const MAX_POINTS: u64 = 10_000_000;

/// One axis: what changes together, position by position.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Column with the names of presets, and the name at each position.
    pub presets: Option<(String, Vec<String>)>,
    /// Keys of the machine, the workload or the technology.
    pub keys: Vec<&'static KeyInfo>,
    /// For each position one canonical value per key; `None`: a preset leaves the key as it is.
    pub values: Vec<Vec<Option<String>>>,
}

/// A sweep as its file says: the cross product of its axes, the first one slowest.
#[derive(Clone, Debug)]
pub struct SweepSpec {
    /// Name, for output files.
    pub name: String,
    /// Machine file.
    pub arch: PathBuf,
    /// Workload file.
    pub workload: PathBuf,
    /// Technology file; `None`: the one that is built in.
    pub tech: Option<PathBuf>,
    /// Keys that differ from those files at every point.
    pub set: Vec<(&'static KeyInfo, String)>,
    /// Axes.
    pub axes: Vec<Axis>,
    /// Conditions on keys; a point that breaks one is left out.
    pub filters: Vec<Expression>,
    /// Conditions on keys and metrics; a point that breaks one is marked.
    pub constraints: Vec<Expression>,
    /// The file.
    pub source: Source,
}

impl SweepSpec {
    /// Reads a sweep file. Paths in it are relative to the current directory.
    ///
    /// # Errors
    /// File, line, column, and what would be right.
    pub fn read(path: &Path) -> Result<SweepSpec, SpecError> {
        SweepSpec::parse(Source::read(path).map_err(Box::new)?)
    }

    /// Parses a sweep file.
    ///
    /// # Errors
    /// As [`SweepSpec::read`].
    pub fn parse(source: Source) -> Result<SweepSpec, SpecError> {
        let raw: Raw = toml::from_str(&source.text)
            .map_err(|e| Mistake::at(&source, e.span().unwrap_or(0..0), describe(e.message())))?;
        let reader = Reader {
            source: &source,
            presets: presets(&source, &raw)?,
        };
        let name = raw.name.get_ref();
        if !plain(name) {
            let message =
                format!("name = {name:?}: letters, digits, - and _; it names the output files");
            return Err(reader.wrong(raw.name.span(), message));
        }
        let set = reader.overrides(&["set"], &raw.set)?;
        // Axes and zips are crossed in the order of the file.
        let mut axes: Vec<(usize, Axis)> = Vec::new();
        for axis in &raw.axis {
            axes.push((axis.span().start, reader.axis(axis)?));
        }
        for zip in &raw.zip {
            axes.push((zip.span().start, reader.zip(zip)?));
        }
        axes.sort_by_key(|(start, _)| *start);
        let spec = SweepSpec {
            name: name.clone(),
            arch: PathBuf::from(&raw.arch),
            workload: PathBuf::from(&raw.workload),
            tech: raw.tech.as_ref().map(PathBuf::from),
            set,
            axes: axes.into_iter().map(|(_, axis)| axis).collect(),
            filters: reader.conditions("where", Names::Keys)?,
            constraints: reader.conditions("constraint", Names::KeysAndMetrics)?,
            source: source.clone(),
        };
        reader.distinct(&spec, &raw)?;
        reader.not_too_many(&spec, raw.name.span())?;
        Ok(spec)
    }

    /// Points of the whole grid, those that `where` leaves out included.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.axes
            .iter()
            .map(|axis| axis.values.len() as u64)
            .product()
    }
}
