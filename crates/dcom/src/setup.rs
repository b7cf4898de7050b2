//! From files and overrides to a machine, a workload and the program that maps one onto the other.

use std::path::PathBuf;

use dcom_arch::{Arch, ArchParams};
use dcom_config::{Mark, Source, Value};
use dcom_isa::{Op, Program, Verified};
use dcom_mapper::{MapError, WorkloadParams, map};
use dcom_timing::{Options, Run, TimingError, simulate};
use serde::Serialize;
use strsim::normalized_damerau_levenshtein;

use crate::failure::Failure;
use crate::progress;

/// Least similarity of a suggested key. Assumed, as in `dcom-config`.
const SIMILAR: f64 = 0.6;

/// Most instructions that are simulated one by one; each takes about 40 bytes.
const INSTRUCTION_LIMIT: u64 = 10_000_000;

/// Which machine, which workload, and what is different from the files.
#[derive(clap::Args)]
pub(crate) struct Design {
    /// Machine description, such as configs/arch/dcom-paper.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) arch: PathBuf,
    /// Workload and mapping, such as configs/workloads/llama2-7b.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) workload: PathBuf,
    /// Override a key of either file; may be repeated [keys: dcom parameters]
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<(String, String)>,
}

/// Splits `key=value`.
pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected key=value, such as mapping.expansion_factor=4".to_owned()),
    }
}

/// The parameters of a run.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) arch: ArchParams,
    pub(crate) workload: WorkloadParams,
    /// Overrides by the user.
    pub(crate) overrides: Vec<(String, String)>,
    /// Keys that follow from other inputs than these files, with what they follow from.
    pinned: Vec<(&'static str, String)>,
}

/// One key with its value and where that comes from.
#[derive(Debug, Serialize)]
pub(crate) struct Parameter<'a> {
    pub(crate) key: &'static str,
    #[serde(serialize_with = "typed")]
    pub(crate) value: Value,
    pub(crate) unit: Option<&'static str>,
    #[serde(serialize_with = "shown")]
    pub(crate) mark: Option<Mark>,
    pub(crate) source: Option<&'a str>,
}

impl Setup {
    /// Reads both files and applies the overrides.
    ///
    /// # Errors
    /// File, line, key, value and range of what is wrong.
    pub(crate) fn read(design: &Design) -> Result<Setup, Failure> {
        let arch = ArchParams::parse(Source::read(&design.arch)?)?;
        let workload = WorkloadParams::parse(Source::read(&design.workload)?)?;
        let mut setup = Setup::new(arch, workload);
        setup.apply(&design.set)?;
        Ok(setup)
    }

    pub(crate) fn new(arch: ArchParams, workload: WorkloadParams) -> Setup {
        Setup {
            arch,
            workload,
            overrides: Vec::new(),
            pinned: Vec::new(),
        }
    }

    /// Applies overrides of either schema.
    ///
    /// # Errors
    /// A key that neither schema has, or a value that does not fit it.
    pub(crate) fn apply(&mut self, overrides: &[(String, String)]) -> Result<(), Failure> {
        for (key, value) in overrides {
            if ArchParams::keys().iter().any(|info| info.path == key) {
                self.arch.set(key, value)?;
            } else if WorkloadParams::keys().iter().any(|info| info.path == key) {
                self.workload.set(key, value)?;
            } else {
                let message = format!(
                    "--set {key}={value}: there is no key `{key}` in the arch or the workload schema"
                );
                return Err(Failure::Input {
                    message,
                    help: Some(suggestion(key)),
                });
            }
            self.overrides.push((key.clone(), value.clone()));
        }
        Ok(())
    }

    /// Sets a key of the workload to what another input says; `source` names that input.
    ///
    /// # Errors
    /// The value is outside the key's range.
    pub(crate) fn pin(
        &mut self,
        key: &'static str,
        value: usize,
        source: &str,
    ) -> Result<(), Failure> {
        let range = || {
            WorkloadParams::keys()
                .iter()
                .find(|info| info.path == key)
                .map(dcom_config::KeyInfo::range)
        };
        self.workload.set(key, &value.to_string()).map_err(|_| {
            Failure::input(format!(
                "{source}: {key} = {value}: must be in {}",
                range().unwrap_or_default()
            ))
        })?;
        self.pinned.push((key, source.to_owned()));
        Ok(())
    }

    /// What a key was pinned by.
    fn pinned_by(&self, key: &str) -> Option<&str> {
        self.pinned
            .iter()
            .find(|(pinned, _)| *pinned == key)
            .map(|(_, source)| source.as_str())
    }

    /// The machine.
    ///
    /// # Errors
    /// Parameters that contradict each other.
    pub(crate) fn machine(&self) -> Result<Arch, Failure> {
        Ok(Arch::new(&self.arch)?)
    }

    /// Maps the workload and verifies the program.
    ///
    /// # Errors
    /// The key, with its place, that does not fit the machine.
    pub(crate) fn program<'a>(&self, arch: &'a Arch) -> Result<Verified<'a>, Failure> {
        let mapped = map(arch, &self.workload).map_err(|error| self.blame(&error))?;
        mapped.program.verify(arch).map_err(|error| {
            let files = (self.workload.document().name(), self.arch.document().name());
            Failure::input_with_help(
                format!("{}: mapped onto {}, the program does not fit: {error}", files.0, files.1),
                "make the workload smaller, or what the message names larger (keys: dcom parameters)",
            )
        })
    }

    fn blame(&self, error: &MapError) -> Failure {
        let MapError { key, message } = error;
        if let Some(source) = self.pinned_by(key) {
            return Failure::input(format!("{source}: {message} ({key})"));
        }
        if ArchParams::keys().iter().any(|info| info.path == *key) {
            self.arch.error_at(key, message, None).into()
        } else {
            self.workload.error_at(key, message, None).into()
        }
    }

    /// Every parameter with its mark and source.
    pub(crate) fn parameters(&self) -> Vec<Parameter<'_>> {
        let entries = self
            .arch
            .entries()
            .into_iter()
            .chain(self.workload.entries());
        entries
            .map(|entry| {
                let (mark, source) = match self.pinned_by(entry.path) {
                    Some(source) => (Some(Mark::Given), Some(source)),
                    None => (entry.mark, entry.source),
                };
                Parameter {
                    key: entry.path,
                    value: entry.value,
                    unit: entry.unit,
                    mark,
                    source,
                }
            })
            .collect()
    }
}

/// Times a program; `full` simulates loop iterations one by one.
///
/// # Errors
/// The run is too long.
pub(crate) fn time(program: &Verified<'_>, options: Options<'_>) -> Result<Run, Failure> {
    let instructions = executed_instructions(program.program());
    if options.full && instructions > INSTRUCTION_LIMIT {
        return Err(Failure::input_with_help(
            format!(
                "--full: the run executes {instructions} instructions, at most {INSTRUCTION_LIMIT} are simulated one by one"
            ),
            "without --full, loop iterations that repeat exactly are extrapolated; or set fewer workload.prompts",
        ));
    }
    progress::during("simulating", || simulate(program, options)).map_err(|error| match error {
        TimingError::TooLong => Failure::input(error.to_string()),
        TimingError::TooFewTests(_) => Failure::Internal(error.to_string()),
    })
}

/// Instructions with every iteration of every loop counted.
pub(crate) fn executed_instructions(program: &Program) -> u64 {
    let in_loops: u64 = program
        .instrs
        .iter()
        .map(|instr| match instr.op {
            Op::Loop { count, length } => (u64::from(count) - 1) * u64::from(length),
            _ => 0,
        })
        .sum();
    program.instrs.len() as u64 + in_loops
}

/// The nearest key of either schema, or where to find them all.
fn suggestion(key: &str) -> String {
    let keys = || ArchParams::keys().iter().chain(WorkloadParams::keys());
    let leaf = |path: &str| path.rsplit('.').next().unwrap_or(path).to_lowercase();
    // The key's own name decides; its table breaks ties and may be wrong or missing.
    let score = |path: &str| {
        0.8 * normalized_damerau_levenshtein(&leaf(key), &leaf(path))
            + 0.2 * normalized_damerau_levenshtein(&key.to_lowercase(), path)
    };
    let best = keys()
        .map(|info| (score(info.path), info.path))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((score, path)) if score >= SIMILAR => format!("did you mean `{path}`?"),
        _ => "`dcom parameters` lists all keys".to_owned(),
    }
}

fn typed<S: serde::Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Value::Integer(value) => match i64::try_from(*value) {
            Ok(value) => serializer.serialize_i64(value),
            Err(_) => serializer.serialize_i128(*value),
        },
        Value::Float(value) => serializer.serialize_f64(*value),
        Value::Bool(value) => serializer.serialize_bool(*value),
        Value::Text(value) => serializer.serialize_str(value),
        Value::Choice(value) => serializer.serialize_str(value),
    }
}

fn shown<S: serde::Serializer>(mark: &Option<Mark>, serializer: S) -> Result<S::Ok, S::Error> {
    match mark {
        Some(mark) => serializer.serialize_str(&mark.to_string()),
        None => serializer.serialize_none(),
    }
}
