//! All points of a study, one after the other; what is done stays in a file until all is done.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_llm::{Plan, Scenario, System};
use dcom_mapper::WorkloadParams;
use serde::{Deserialize, Serialize};

use crate::cost::{Cost, Costs, same_model};
use crate::error::QualityError;
use crate::quality::{Machine, Quality, Reader};
use crate::setting::{OutliersBy, Setting};
use crate::study::Study;

/// One point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The values of the axes, in the order of columns.
    pub values: Vec<String>,
    /// Under the plan.
    pub quality: Quality,
    /// Without one.
    pub original: Quality,
    /// Under the plan.
    pub cost: Cost,
    /// Without one.
    pub original_cost: Cost,
}

/// All points.
#[derive(Clone, Debug)]
pub struct Results {
    /// The keys that axes vary.
    pub columns: Vec<String>,
    /// In the order of points.
    pub rows: Vec<Row>,
    /// Version and what the results depend on, in short.
    pub provenance: String,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Points done.
    pub done: usize,
    /// Points taken from an earlier run.
    pub known: usize,
    /// All points.
    pub all: usize,
}

/// Runs a study. Rows go to a file in `folder` as they are known; a run that was ended goes on from there, unless it is to `restart`.
///
/// # Errors
/// The files that the study names, a plan that does not suit the model or the machine, or a file that cannot be written.
pub fn run(
    study: &Study,
    folder: &Path,
    restart: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Results, QualityError> {
    let scenario = Scenario::read(&study.scenario)?;
    let mut points = Vec::new();
    for point in 0..study.points() {
        points.push(study.at(point, &scenario)?);
    }
    let reader = Reader::open(study)?;
    let mut runner = Runner {
        reader: &reader,
        costs: Costs::new(),
        originals: Vec::new(),
    };
    // Everything that files can be wrong about comes before the first minute of work.
    let mut fingerprint = vec![dcom_sweep::VERSION.to_owned(), study.canonical()];
    for (setting, scenario) in &points {
        let system = scenario.open()?;
        let config = reader.model.config();
        same_model(&study.checkpoint, config, scenario, &system.model)?;
        setting.indices(reader.layers())?;
        reader.check(setting)?;
        let named = [&scenario.arch, &scenario.workload].map(|path| Source::read(Path::new(path)));
        for source in named {
            fingerprint.push(source?.text);
        }
        fingerprint.extend([
            scenario.canonical(),
            system.model.canonical(),
            system.gpus.gpu.canonical(),
        ]);
    }
    fingerprint.dedup();
    let hash = dcom_config::Document::hash(&fingerprint.concat());

    let mut part = Part::open(folder.join(format!("{}.part", study.name)), &hash, restart)?;
    let known = part.rows.len().min(points.len());
    part.rows.truncate(known);
    for (point, (setting, scenario)) in points.iter().enumerate() {
        let all = points.len();
        progress(Progress {
            done: point,
            known,
            all,
        });
        if point >= known {
            let row = runner.row(study.values(point), setting, scenario)?;
            part.push(row)?;
        }
    }
    Ok(Results {
        columns: study.columns().map(str::to_owned).collect(),
        provenance: format!("dcom {}, study {hash}", dcom_sweep::VERSION),
        rows: part.finish()?,
    })
}

struct Runner<'a> {
    reader: &'a Reader,
    costs: Costs,
    /// What is read, and how well without a plan.
    originals: Vec<([u32; 4], Quality)>,
}

impl Runner<'_> {
    fn row(
        &mut self,
        values: Vec<&str>,
        setting: &Setting,
        scenario: &Scenario,
    ) -> Result<Row, QualityError> {
        let arch = ArchParams::parse(Source::read(Path::new(&scenario.arch))?)?;
        let workload = WorkloadParams::parse(Source::read(Path::new(&scenario.workload))?)?;
        let arch = Arch::new(&arch)?;
        let machine = Machine {
            arch: &arch,
            workload: &workload,
        };
        let original = self.original(setting, &machine)?;
        let indices = setting.indices(self.reader.layers())?;
        let quality = match indices.is_empty() {
            true => original,
            false => self.reader.quality(setting, &machine)?,
        };
        // By threshold, prompts have different numbers of outliers: the mean is what is paid for.
        let percent = match (setting.outliers_by, quality.outlier_percent) {
            (OutliersBy::Threshold, Some(mean)) => mean,
            (OutliersBy::Percent, _) | (OutliersBy::Threshold, None) => setting.percent,
        };
        let system: System = scenario.open()?;
        let cost = self
            .costs
            .of(scenario, system, setting.plan(&indices, percent))?;
        let system = scenario.open()?;
        Ok(Row {
            values: values.into_iter().map(str::to_owned).collect(),
            quality,
            original,
            cost,
            original_cost: self.costs.of(scenario, system, Plan::default())?,
        })
    }

    fn original(
        &mut self,
        setting: &Setting,
        machine: &Machine<'_>,
    ) -> Result<Quality, QualityError> {
        let read = [
            setting.window,
            setting.offset,
            setting.windows,
            setting.limit,
        ];
        if let Some((_, quality)) = self.originals.iter().find(|(known, _)| *known == read) {
            return Ok(*quality);
        }
        let mut untouched = setting.clone();
        untouched.set("plan.layers", "none")?;
        let quality = self.reader.quality(&untouched, machine)?;
        self.originals.push((read, quality));
        Ok(quality)
    }
}

/// The rows that are known: a line that says of which study, then one per row.
struct Part {
    path: PathBuf,
    file: File,
    rows: Vec<Row>,
}

impl Part {
    fn open(path: PathBuf, hash: &str, restart: bool) -> Result<Part, QualityError> {
        let fail = |source| QualityError::File {
            path: path.clone(),
            source,
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) if !restart => text,
            Ok(_) => String::new(),
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(fail(error)),
        };
        let mut lines = text.split_inclusive('\n');
        if lines.next().is_some_and(|first| first.trim_end() != hash) {
            return Err(QualityError::OtherStudy { path });
        }
        // A killed run may have left half a line; what it would say is computed again.
        let whole = lines.map_while(|line| serde_json::from_str(line.strip_suffix('\n')?).ok());
        let rows: Vec<Row> = whole.collect();
        let mut written = format!("{hash}\n");
        for row in &rows {
            written += &line(row);
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(fail)?;
        }
        std::fs::write(&path, written).map_err(fail)?;
        let file = OpenOptions::new().append(true).open(&path).map_err(fail)?;
        Ok(Part { path, file, rows })
    }

    fn push(&mut self, row: Row) -> Result<(), QualityError> {
        let written = self.file.write_all(line(&row).as_bytes());
        written.map_err(|source| QualityError::File {
            path: self.path.clone(),
            source,
        })?;
        self.rows.push(row);
        Ok(())
    }

    fn finish(self) -> Result<Vec<Row>, QualityError> {
        let removed = std::fs::remove_file(&self.path);
        removed.map_err(|source| QualityError::File {
            path: self.path.clone(),
            source,
        })?;
        Ok(self.rows)
    }
}

fn line(row: &Row) -> String {
    let mut text = serde_json::to_string(row).expect("names and numbers");
    text.push('\n');
    text
}
