//! `dcom plot`: a figure of a result file, as a spec says.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use dcom_report::plot::{PlotError, Spec};
use dcom_report::{Figure, FigureError};

use crate::failure::Failure;
use crate::input;
use crate::output::{self, Target};

/// Arguments of `dcom plot`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Result to plot: CSV with a heading, or Parquet
    #[arg(value_name = "RESULT")]
    result: PathBuf,
    /// What to draw and how; docs/plots.md describes the keys
    #[arg(long, value_name = "SPEC.toml")]
    spec: PathBuf,
    /// Where to write, without the ending; otherwise the name of the spec, in the current folder
    #[arg(short, long, value_name = "STEM")]
    output: Option<PathBuf>,
    /// What to write, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["svg", "pdf", "png"])]
    format: Vec<Format>,
}

const AFTER_HELP: &str = "\
Rows whose status is not ok are not drawn as results; how many there are is said and stored in the files.

Example:
  dcom plot reports/sweeps/expansion.csv --spec configs/plots/latency.toml --output latency --format pdf";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Texts as outlines, the same everywhere
    Svg,
    /// Texts in an embedded font
    Pdf,
    /// 300 dots per inch
    Png,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Svg => "svg",
            Format::Pdf => "pdf",
            Format::Png => "png",
        }
    }

    fn bytes(self, figure: &Figure) -> Result<Vec<u8>, FigureError> {
        match self {
            Format::Svg => figure.to_svg().map(String::into_bytes),
            Format::Pdf => figure.to_pdf(),
            Format::Png => figure.to_png(),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// A spec or a result that cannot be plotted, or a file that cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let stem = args.output.clone().unwrap_or_else(|| stem(&args.spec));
    let paths: Vec<(Format, PathBuf)> = args
        .format
        .iter()
        .map(|format| (*format, ended(&stem, format.name())))
        .collect();
    let targets = paths
        .iter()
        .map(|(format, path)| Ok((*format, Target::new(path)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let text = input::text(&args.spec)?;
    let refused = |error: PlotError| match error {
        PlotError::Spec { line, message, .. } => Failure::line(&args.spec, &text, line, message),
        other => Failure::input(other.to_string()),
    };
    let spec = Spec::parse(&args.spec.display().to_string(), &text).map_err(refused)?;
    let plot = spec.plot(&args.result).map_err(refused)?;
    let mut said: String = plot.notes.iter().map(|note| format!("{note}\n")).collect();
    // All formats before the first file, so that a failure leaves no half of a set.
    let files = targets
        .iter()
        .map(|(format, target)| Ok((target, format.bytes(&plot.figure)?)))
        .collect::<Result<Vec<_>, FigureError>>()
        .map_err(|error| Failure::input(error.to_string()))?;
    for (target, bytes) in files {
        target.write(|out| out.write_all(&bytes))?;
        said += &format!("{}\n", target.path().display());
    }
    output::print(&said)
}

/// The name of the spec without its ending.
fn stem(spec: &Path) -> PathBuf {
    spec.file_stem()
        .map_or_else(|| spec.to_owned(), PathBuf::from)
}

/// `stem` may itself have dots.
fn ended(stem: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(stem);
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
