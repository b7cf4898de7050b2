//! `dcom check`: is this file what it claims to be?
//!
//! The kind of a file follows from its name, that of a TOML file from its tables. Each file gets one line.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use dcom_arch::{Arch, ArchParams};
use dcom_config::{KeyInfo, Source};
use dcom_isa::Program;
use dcom_llm::{Gpu, Model, Plan, Scenario};
use dcom_mapper::WorkloadParams;
use dcom_power::Technology;
use dcom_quality::Study;
use dcom_sweep::SweepSpec;
use dcom_sweep::sensitivity::Ranges;
use dcom_tensor::{ReadOptions, TensorError, read_matrix};
use dcom_trace::Calibration;
use miette::Diagnostic as _;

use crate::decompose::load;
use crate::failure::Failure;
use crate::manifest;
use crate::output;
use crate::program;
use crate::sweep::spec_failure;

/// Arguments of `dcom check`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Files to check
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Also verify that this machine runs the programs
    #[arg(long, value_name = "FILE")]
    arch: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Kinds: .toml (machine, workload, technology, sweep, sensitivity ranges, manifest of a trace, outlier rules), .dcom (program as text), .bin (binary
program), .safetensors and .npy (matrices).

Example:
  dcom check configs/*/*.toml traces/*/manifest.toml kernel.dcom --arch configs/arch/dcom-paper.toml";

/// Runs the command.
///
/// # Errors
/// [`Failure::Checked`] if any file is wrong; bad input in `--arch`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let arch = args.arch.as_deref().map(Arch::read).transpose()?;
    let mut bad = 0;
    for file in &args.files {
        let mut line = String::new();
        match check(file, arch.as_ref()) {
            Ok(what) => writeln!(line, "OK     {}: {what}", file.display()),
            Err(failure) => {
                bad += 1;
                // Messages begin with the file.
                writeln!(
                    line,
                    "WRONG  {failure}{}",
                    failure
                        .help()
                        .map(|help| format!("; {help}"))
                        .unwrap_or_default()
                )
            }
        }
        .expect("writing to a String");
        output::print(&line)?;
    }
    if bad > 0 {
        Err(Failure::Checked {
            bad,
            all: args.files.len(),
        })
    } else {
        Ok(())
    }
}

/// Checks one file; returns what it is.
fn check(path: &Path, arch: Option<&Arch>) -> Result<String, Failure> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => toml(path),
        Some("dcom") => {
            let source = program::SourceText::read(path)?;
            let program = source.parse()?;
            let what = described(&program, arch);
            if let Some(arch) = arch {
                source.verify(program, arch)?;
            }
            Ok(what)
        }
        Some("bin") => {
            let program = program::read_binary(path)?;
            let what = described(&program, arch);
            if let Some(arch) = arch {
                program::verify(program, arch, path)?;
            }
            Ok(what)
        }
        Some("safetensors" | "npy") => tensors(path),
        _ if path.is_dir() => Err(Failure::input(format!(
            "{}: is a directory, expected a file",
            path.display()
        ))),
        _ => Err(Failure::input_with_help(
            format!("{}: the name does not say what this is", path.display()),
            "known are .toml, .dcom, .bin, .safetensors and .npy",
        )),
    }
}

fn described(program: &Program, arch: Option<&Arch>) -> String {
    let runs = arch
        .map(|arch| format!(", runs on {}", arch.name))
        .unwrap_or_default();
    format!("program of {} instructions{runs}", program.instrs.len())
}

/// Checks a TOML file as the kind that its tables tell.
fn toml(path: &Path) -> Result<String, Failure> {
    let source = Source::read(path)?;
    let tables: Vec<String> = match source.text.parse::<toml::Table>() {
        Ok(table) => table.keys().cloned().collect(),
        // Every parser reports the syntax in the same way.
        Err(_) => Vec::new(),
    };
    let has = |name: &str| tables.iter().any(|table| table == name);
    let shares = |keys: &[KeyInfo]| keys.iter().filter(|key| has(key.table())).count();
    if has("trace") || has("op") {
        return manifest::check(path);
    }
    if has("outliers") {
        let calibration = Calibration::parse(&source)?;
        return Ok(format!("{} outlier rules", calibration.outliers.len()));
    }
    if has("checkpoint") {
        let study = Study::parse(source)?;
        return Ok(format!("study {} of {} points", study.name, study.points()));
    }
    if let Some(known) = model_level(path, &source, &has)? {
        return Ok(known);
    }
    if has("parameter") {
        let ranges = Ranges::parse(&source).map_err(|error| Failure::input(error.to_string()))?;
        return Ok(format!("ranges of {} parameters", ranges.parameters.len()));
    }
    if has("axis") || has("zip") || (has("arch") && has("workload")) {
        let spec = SweepSpec::parse(source).map_err(spec_failure)?;
        return Ok(format!("sweep {} of {} points", spec.name, spec.points()));
    }
    if has("technology") || shares(Technology::keys()) > shares(ArchParams::keys()) {
        let technology = Technology::parse(source)?;
        return Ok(format!(
            "technology {}, {} nm, hash {}",
            technology.name,
            technology.feature_nm,
            technology.hash()
        ));
    }
    if shares(WorkloadParams::keys()) > shares(ArchParams::keys()) {
        let w = WorkloadParams::parse(source)?;
        return Ok(format!(
            "workload {}, {} x {} x {}, hash {}",
            w.name,
            w.prompts,
            w.rows,
            w.columns,
            w.hash()
        ));
    }
    if shares(ArchParams::keys()) > 0 || tables.is_empty() {
        let arch = Arch::new(&ArchParams::parse(source)?)?;
        return Ok(format!(
            "machine {}, {} x {} clusters, hash {}",
            arch.name, arch.columns, arch.rows, arch.hash
        ));
    }
    Err(Failure::input_with_help(
        format!(
            "{}: has the tables {}, none of a known kind of file",
            path.display(),
            tables.join(", ")
        ),
        "a machine has [machine] and [array], a workload [workload] and [mapping], a technology [technology], a sweep [[axis]], ranges [[parameter]], a trace [trace] and [[op]], outlier rules [[outliers]], a scenario [scenario], a model [model], a GPU [gpu], a plan [[layers]]",
    ))
}

/// Checks files about models, GPUs and plans; none for other kinds.
fn model_level(
    path: &Path,
    source: &Source,
    has: &dyn Fn(&str) -> bool,
) -> Result<Option<String>, Failure> {
    if has("scenario") {
        let scenario = Scenario::parse(source.clone())?;
        return Ok(Some(format!(
            "scenario {}, hash {}",
            scenario.name,
            scenario.hash()
        )));
    }
    if has("gpu") && has("kernel") {
        let gpu = Gpu::parse(source.clone())?;
        return Ok(Some(format!("GPU {}, hash {}", gpu.name, gpu.hash())));
    }
    if has("model") {
        let model = Model::parse(source.clone())?.checked()?;
        let millions = model.weights() / 1_000_000;
        return Ok(Some(format!(
            "model {}, {millions} million weights",
            model.name
        )));
    }
    if has("layers") || has("flow") {
        let name = path.display().to_string();
        let plan =
            Plan::parse(&name, &source.text).map_err(|error| Failure::input(error.to_string()))?;
        return Ok(Some(format!(
            "plan {}, {} layers on factors",
            plan.name,
            plan.decomposed().count()
        )));
    }
    Ok(None)
}

/// Checks every matrix of a file.
fn tensors(path: &Path) -> Result<String, Failure> {
    let names = match read_matrix(path, &ReadOptions::default()) {
        Err(TensorError::AmbiguousTensor { available, .. }) => available,
        _ => {
            let loaded = load(path, None)?;
            return Ok(format!(
                "{} matrix of {} x {}",
                loaded.source,
                loaded.matrix.rows(),
                loaded.matrix.cols()
            ));
        }
    };
    let mut matrices = Vec::new();
    for name in names {
        match load(path, Some(&name)) {
            Ok(loaded) => matrices.push(format!(
                "{name} {} x {}",
                loaded.matrix.rows(),
                loaded.matrix.cols()
            )),
            Err(Failure::Tensor(error)) if matches!(*error, TensorError::NotAMatrix { .. }) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(format!("matrices {}", matrices.join(", ")))
}
