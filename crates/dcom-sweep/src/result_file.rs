//! The CSV of a sweep while it is written, and what lies beside it.
//!
//! Rows go to `NAME.FINGERPRINT.csv.part`, in the order of the points, each as one line; the fingerprint is that of all that
//! rows depend on, so rows of different sweeps cannot meet in one file. A sweep that starts again keeps the whole rows at the beginning,
//! each checked against the point that must be there, and cuts the rest. When the last row is there, the manifest `NAME.json`
//! is written, and then the part gets its name, `NAME.csv`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use dcom_report::write_atomic;
use serde_json::{Value, json};

use crate::metric::METRICS;
use crate::outcome::Outcome;
use crate::space::{Space, VERSION};
use crate::sweep::{Counts, SweepError};

/// Columns before the metrics, behind the axes.
const BEFORE: [&str; 4] = ["status", "reason", "method", "bottleneck"];
/// Columns behind the metrics.
const BEHIND: [&str; 4] = ["arch_hash", "workload_hash", "technology_hash", "version"];

/// How a point ended, as `status` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has numbers.
    Ok,
    /// It does not fit the machine.
    Infeasible,
    /// It has numbers and breaks a constraint.
    Violates,
    /// The simulator failed.
    Failed,
}

impl Status {
    /// All, as files write them.
    pub const ALL: [(&'static str, Status); 4] = [
        ("ok", Status::Ok),
        ("infeasible", Status::Infeasible),
        ("violates", Status::Violates),
        ("failed", Status::Failed),
    ];

    fn name(self) -> &'static str {
        let (name, _) = Status::ALL
            .iter()
            .find(|(_, status)| *status == self)
            .expect("all are listed");
        name
    }
}

/// The names of all columns.
#[must_use]
pub fn header(space: &Space) -> Vec<&str> {
    let axes = space.columns().map(|column| column.name.as_str());
    let metrics = METRICS.iter().map(|metric| metric.name);
    std::iter::once("point")
        .chain(axes)
        .chain(BEFORE)
        .chain(metrics)
        .chain(BEHIND)
        .collect()
}

/// The row of a point, as a line of CSV.
pub(crate) fn row(
    space: &Space,
    point: u64,
    outcome: &Outcome,
    hashes: &[String; 3],
    csv: &mut csv::Writer<Vec<u8>>,
) -> Status {
    let (status, reason) = match outcome {
        Outcome::Done(numbers) => match space.broken(point, numbers) {
            Some(constraint) => (Status::Violates, constraint),
            None => (Status::Ok, ""),
        },
        Outcome::Infeasible(reason) => (Status::Infeasible, reason.as_str()),
        Outcome::Failed(reason) => (Status::Failed, reason.as_str()),
    };
    let mut put = |field: &str| csv.write_field(field).expect("writing to memory");
    put(&point.to_string());
    space.settings(point).for_each(&mut put);
    put(status.name());
    put(reason);
    match outcome {
        Outcome::Done(numbers) => {
            put(&numbers.method);
            put(&numbers.bottleneck);
            numbers
                .metrics
                .iter()
                .for_each(|value| put(&value.to_string()));
        }
        Outcome::Infeasible(_) | Outcome::Failed(_) => (0..2 + METRICS.len()).for_each(|_| put("")),
    }
    hashes.iter().for_each(|hash| put(hash));
    put(VERSION);
    csv.write_record(None::<&[u8]>).expect("writing to memory");
    status
}

/// Bytes of one record of CSV.
fn record<'a>(fields: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(fields).expect("writing to memory");
    csv.into_inner().expect("writing to memory")
}

/// The names of what a sweep leaves in a folder.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) csv: PathBuf,
    pub(crate) parquet: PathBuf,
    pub(crate) manifest: PathBuf,
    part: PathBuf,
}

/// The CSV while it is written.
#[derive(Debug)]
pub(crate) struct Part {
    names: Names,
    file: File,
    /// The point from which rows are missing.
    pub(crate) next: u64,
    /// What the rows that are there say.
    pub(crate) counts: Counts,
}

/// Where a sweep stands when it starts.
pub(crate) enum Begun {
    /// The result is there.
    Complete(Counts),
    /// Rows are missing.
    Part(Part),
}

impl Names {
    pub(crate) fn new(space: &Space, folder: &Path) -> Names {
        let name = &space.spec().name;
        let at = |extension: &str| folder.join(format!("{name}.{extension}"));
        Names {
            csv: at("csv"),
            parquet: at("parquet"),
            manifest: at("json"),
            part: at(&format!("{}.csv.part", space.fingerprint())),
        }
    }

    /// Unfinished results of the same name.
    fn parts(&self) -> io::Result<Vec<PathBuf>> {
        let folder = self.csv.parent().expect("joined to a folder");
        let name = self
            .csv
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a plain name");
        let mut parts = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let file = path
                .file_name()
                .and_then(|file| file.to_str())
                .unwrap_or_default();
            let middle = file
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".csv.part"));
            if middle.is_some_and(|middle| {
                middle.len() == 16 && middle.bytes().all(|b| b.is_ascii_hexdigit())
            }) {
                parts.push(path);
            }
        }
        parts.sort();
        Ok(parts)
    }
}

/// Finds out where a sweep stands.
///
/// # Errors
/// Another process runs it, an unfinished other sweep of this name is there, or what the operating system says.
pub(crate) fn begin(space: &Space, folder: &Path, restart: bool) -> Result<Begun, SweepError> {
    let names = Names::new(space, folder);
    let fail = |source| SweepError::Write {
        path: folder.to_owned(),
        source,
    };
    fs::create_dir_all(folder).map_err(fail)?;
    for part in names.parts().map_err(fail)? {
        if restart {
            let file = File::open(&part).map_err(fail)?;
            hold(&file, &part)?;
            fs::remove_file(&part).map_err(fail)?;
        } else if part != names.part {
            return Err(SweepError::Other { part });
        }
    }
    if !restart
        && !names.part.exists()
        && let Some(counts) = complete(space, &names)
    {
        return Ok(Begun::Complete(counts));
    }
    let fail = |source| SweepError::Write {
        path: names.part.clone(),
        source,
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&names.part)
        .map_err(fail)?;
    hold(&file, &names.part)?;
    let kept = keep(space, &file).map_err(fail)?;
    file.set_len(kept.bytes)
        .and_then(|()| file.seek(SeekFrom::End(0)))
        .map_err(fail)?;
    if kept.bytes == 0 {
        file.write_all(&record(header(space).into_iter()))
            .map_err(fail)?;
    }
    Ok(Begun::Part(Part {
        names,
        file,
        next: kept.next,
        counts: kept.counts,
    }))
}

fn hold(file: &File, path: &Path) -> Result<(), SweepError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(SweepError::Busy {
            part: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(SweepError::Write {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The whole rows at the beginning of a part.
struct Kept {
    bytes: u64,
    next: u64,
    counts: Counts,
}

fn keep(space: &Space, file: &File) -> io::Result<Kept> {
    let mut kept = Kept {
        bytes: 0,
        next: 0,
        counts: Counts::default(),
    };
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    lines.read_until(b'\n', &mut line)?;
    if line != record(header(space).into_iter()) {
        return Ok(kept);
    }
    kept.bytes = line.len() as u64;
    let end = format!(",{VERSION}\n");
    loop {
        let mut point = kept.next;
        while point < space.points() && !space.contains(point) {
            point += 1;
        }
        let left_out = point - kept.next;
        line.clear();
        lines.read_until(b'\n', &mut line)?;
        if point == space.points() {
            kept.counts.left_out += left_out;
            kept.next = point;
            return Ok(kept);
        }
        let number = point.to_string();
        let mut begin = record(std::iter::once(number.as_str()).chain(space.settings(point)));
        *begin.last_mut().expect("a record ends in a line break") = b',';
        let Some(rest) = line
            .strip_prefix(&*begin)
            .filter(|rest| rest.ends_with(end.as_bytes()))
        else {
            return Ok(kept);
        };
        let status = Status::ALL.iter().find(|(name, _)| {
            rest.strip_prefix(name.as_bytes())
                .is_some_and(|rest| rest.first() == Some(&b','))
        });
        let Some((_, status)) = status else {
            return Ok(kept);
        };
        kept.counts.add(*status);
        kept.counts.resumed += 1;
        kept.counts.left_out += left_out;
        kept.bytes += line.len() as u64;
        kept.next = point + 1;
    }
}

/// The counts of a result that is there in full.
fn complete(space: &Space, names: &Names) -> Option<Counts> {
    let manifest: Value = serde_json::from_slice(&fs::read(&names.manifest).ok()?).ok()?;
    let bytes = fs::metadata(&names.csv).ok()?.len();
    if manifest["fingerprint"] != space.fingerprint() || manifest["csv_bytes"] != bytes {
        return None;
    }
    let count = |name: &str| manifest["rows"][name].as_u64();
    let mut counts = Counts {
        left_out: manifest["left_out"].as_u64()?,
        ..Counts::default()
    };
    for (name, status) in Status::ALL {
        *counts.of_mut(status) = count(name)?;
    }
    counts.resumed = counts.rows();
    Some(counts)
}

impl Part {
    /// Adds rows.
    pub(crate) fn append(&mut self, rows: &[u8]) -> Result<(), SweepError> {
        self.file
            .write_all(rows)
            .map_err(|source| SweepError::Write {
                path: self.names.part.clone(),
                source,
            })
    }

    /// Writes the manifest, and gives the file its name.
    pub(crate) fn finish(self, space: &Space, counts: &Counts) -> Result<Names, SweepError> {
        let fail = |source| SweepError::Write {
            path: self.names.part.clone(),
            source,
        };
        self.file.sync_all().map_err(fail)?;
        let bytes = self.file.metadata().map_err(fail)?.len();
        let manifest = format!("{:#}\n", manifest(space, counts, bytes));
        write_atomic(&self.names.manifest, manifest.as_bytes()).map_err(|error| {
            SweepError::Write {
                path: self.names.manifest.clone(),
                source: io::Error::other(error),
            }
        })?;
        fs::rename(&self.names.part, &self.names.csv).map_err(fail)?;
        Ok(self.names)
    }
}

/// What a result depends on, and what is in it.
pub(crate) fn manifest(space: &Space, counts: &Counts, csv_bytes: u64) -> Value {
    let rows: serde_json::Map<String, Value> = Status::ALL
        .iter()
        .map(|(name, status)| ((*name).to_owned(), counts.of(*status).into()))
        .collect();
    let units: serde_json::Map<String, Value> = METRICS
        .iter()
        .filter(|m| !m.unit.is_empty())
        .map(|m| (m.name.to_owned(), m.unit.into()))
        .collect();
    json!({
        "sweep": space.spec().name,
        "version": VERSION,
        "fingerprint": space.fingerprint(),
        "arch": { "file": space.spec().arch, "hash": space.base().arch.hash() },
        "workload": { "file": space.spec().workload, "hash": space.base().workload.hash() },
        "technology": { "file": space.spec().tech, "name": space.base().technology.name, "hash": space.base().technology.hash() },
        "rows": rows,
        "left_out": counts.left_out,
        "csv_bytes": csv_bytes,
        "units": units,
        "sweep_file": space.spec().source.text,
    })
}
