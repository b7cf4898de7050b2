//! `dcom gpu`: the GPU model beside measurements.

use std::path::{Path, PathBuf};

use dcom_llm::Gpu;
use dcom_llm::measured::{Compared, GpuFit, fit, parse};
use dcom_report::{Cell, Column};

use crate::failure::Failure;
use crate::output::{self, Target};
use crate::text::{percent, section};

/// Arguments of `dcom gpu`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Fit the model's constants to a few measured kernels, and predict the others
    #[command(after_help = FIT_HELP)]
    Fit(FitArgs),
}

#[derive(clap::Args)]
struct FitArgs {
    /// Kernels measured by tools/measure_gpu.py
    measurements: PathBuf,
    /// GPU file, such as configs/gpu/a100-80gb.toml
    #[arg(long, value_name = "FILE")]
    gpu: PathBuf,
    /// GPU file to write, with the fitted constants in it
    #[arg(short, long, value_name = "FILE.toml")]
    output: Option<PathBuf>,
}

const FIT_HELP: &str = "\
Six constants come from one row each; all other rows are predicted, so that no more than a quarter is fitted to.

Example, on a machine with a GPU and PyTorch:
  python3 tools/measure_gpu.py --output gpu.csv
  dcom gpu fit gpu.csv --gpu configs/gpu/h200.toml -o my-gpu.toml";

/// Runs the command.
///
/// # Errors
/// Bad input, or a file that cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Command::Fit(args) = &args.command;
    let target = args.output.as_deref().map(Target::new).transpose()?;
    let gpu = Gpu::read(&args.gpu)?;
    let file = args.measurements.display().to_string();
    let text = std::fs::read_to_string(&args.measurements)
        .map_err(|error| Failure::input(format!("{file}: {error}")))?;
    let wrong = |error: dcom_llm::measured::MeasuredError| Failure::input(error.to_string());
    let rows = parse(&file, &text).map_err(wrong)?;
    let found = fit(&file, &gpu, &rows).map_err(wrong)?;
    if let Some(target) = target {
        let text = with_constants(&args.gpu, &found, &file)?;
        target.write(|out| out.write_all(text.as_bytes()))?;
    }
    output::print(&report(&found))
}

fn report(found: &GpuFit) -> String {
    let constants = found
        .constants
        .iter()
        .map(|(key, value)| vec![Cell::Text((*key).to_owned()), Cell::real(*value, 4)]);
    let row = |row: &Compared| {
        let measured = &row.measured;
        vec![
            Cell::Text(measured.kernel.clone()),
            Cell::Text(format!(
                "{} x ({} x {}, {})",
                measured.batch, measured.m, measured.n, measured.k
            )),
            Cell::real(measured.microseconds, 4),
            Cell::real(row.predicted_us, 4),
            Cell::Text(format!("{:+.1}", 100.0 * row.error())),
            Cell::Text(row.fitted.unwrap_or("").to_owned()),
        ]
    };
    let device = found
        .rows
        .first()
        .map_or("", |row| row.measured.device.as_str());
    let fitted = found.rows.iter().filter(|row| row.fitted.is_some()).count();
    format!(
        "{device}: {} kernels predicted with a median error of {} %, {fitted} fitted to, {} unknown to the model\n{}{}",
        found.rows.len() - fitted,
        percent(found.median_error()),
        found.without,
        section(
            vec![Column::new("constant"), Column::new("value")],
            constants.collect()
        ),
        section(
            vec![
                Column::new("kernel"),
                Column::new("batch x (m x n, k)"),
                Column::new("measured").unit("us"),
                Column::new("predicted").unit("us"),
                Column::new("error").unit("%"),
                Column::new("fitted"),
            ],
            found.rows.iter().map(row).collect(),
        )
    )
}

/// The GPU's file with the fitted constants in place of its own.
fn with_constants(gpu: &Path, found: &GpuFit, file: &str) -> Result<String, Failure> {
    let text = std::fs::read_to_string(gpu)
        .map_err(|error| Failure::input(format!("{}: {error}", gpu.display())))?;
    let mut table = String::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            table = name.to_owned();
        }
        let key = line.split('=').next().unwrap_or_default().trim();
        let path = format!("{table}.{key}");
        let fitted = found.constants.iter().find(|(key, _)| *key == path);
        lines.push(match fitted {
            Some((_, value)) => {
                format!("{key} = {{ value = {value:.6}, mark = \"fitted\", source = \"one row of {}\" }}", file.replace('"', "'"))
            }
            None => line.to_owned(),
        });
    }
    Ok(lines.join("\n") + "\n")
}
