//! `dcom itera`: one weight in the three ways to a smaller one, at equal storage; or all of a checkpoint.

mod checkpoint;

use std::path::PathBuf;
use std::time::Instant;

use dcom_itera::{
    Decomposition, Format, IteraError, Options, Progress, Svd, Weight, factor_bits, itera,
    quantize_weight, svd_then_quantize, weight_bits,
};
use dcom_report::{Cell, Column};
use dcom_tensor::Loaded;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use crate::decompose::load;
use crate::failure::Failure;
use crate::output;
use crate::progress;
use crate::text::{Facts, fixed_cell, section};

/// Arguments of `dcom itera`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Weight matrix: .safetensors (fp16, bf16, fp32) or .npy (fp16, fp32, fp64), rows = outputs; or the folder of a Llama's checkpoint
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Tensor of a safetensors file [default: the only matrix in it; all of a checkpoint's linear layers]
    #[arg(long, value_name = "NAME")]
    tensor: Option<String>,
    /// Number format of the factors: int2 to int8, fp4, fp8_e4m3, fp8_e5m2, mxfp4, mxfp8_e4m3, mxfp8_e5m2, mxint8
    #[arg(long, value_name = "FORMAT")]
    format: Format,
    /// Number of rank-1 terms, at most the smaller side of the matrix
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=1 << 16))]
    rank: u32,
    /// Sweeps of the least-squares refit after the last term
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100))]
    refit: u32,
    /// Largest relative residual of a leading singular pair
    #[arg(long, value_name = "T", default_value_t = 1e-3, value_parser = tolerance)]
    tolerance: f64,
    /// Skip the full singular value decomposition: no best error, no SVD-then-quantize
    #[arg(long)]
    no_svd: bool,
    /// Write a checkpoint whose linear layers have these weights into a new folder (with a checkpoint)
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Whose weights are written
    #[arg(long, value_enum, default_value_t = OutputWay::Itera, requires = "output")]
    output_way: OutputWay,
    /// Print everything as JSON, with the error after every term
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
ITERA takes the leading singular pair of the residual, quantizes both vectors and subtracts the
product of the quantized ones, R times. Errors are relative: ||W - approximation|| / ||W||,
Frobenius norm. Storage includes scales: docs/itera.md.

Examples:
  dcom itera traces/minilm-layer2/weights.safetensors --tensor q.weight --format int4 --rank 96
  dcom itera crates/dcom-model/fixtures/tinyllama --format int4 --rank 80 --output smaller
  dcom itera w.npy --format mxfp4 --rank 64 --refit 2 --json";

/// Which of the three ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum OutputWay {
    /// The products of ITERA's factors
    Itera,
    /// The products of the quantized factors of the SVD
    Svd,
    /// The quantized weights
    Quantize,
}

impl OutputWay {
    fn name(self) -> &'static str {
        match self {
            OutputWay::Itera => "ITERA",
            OutputWay::Svd => "SVD, then quantization",
            OutputWay::Quantize => "quantization only",
        }
    }
}

fn options(args: &Args) -> Options {
    Options {
        rank: usize::try_from(args.rank).expect("at most 65536"),
        format: Some(args.format),
        tolerance: args.tolerance,
        refit_sweeps: usize::try_from(args.refit).expect("at most 100"),
    }
}

fn failed(place: &str) -> impl Fn(IteraError) -> Failure {
    move |error| Failure::input(format!("{place}: {error}"))
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (1e-6..=0.5).contains(&value) => Ok(value),
        Ok(_) | Err(_) => Err("expected a number from 1e-6 to 0.5".to_owned()),
    }
}

/// Runs the command.
///
/// # Errors
/// Bad input, or results that cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(folder) = args.output.as_ref().filter(|folder| folder.exists()) {
        let message = format!("{}: is there already; give a new folder", folder.display());
        return Err(Failure::input(message));
    }
    if args.file.is_dir() {
        return checkpoint::run(args);
    }
    if args.output.is_some() {
        return Err(Failure::input(format!(
            "--output: {} is no folder of a checkpoint",
            args.file.display()
        )));
    }
    let loaded = load(&args.file, args.tensor.as_deref())?;
    let place = match &loaded.tensor {
        Some(tensor) => format!("{}: {tensor}", args.file.display()),
        None => args.file.display().to_string(),
    };
    let failed = failed(&place);
    let weight = Weight::try_from(&loaded.matrix).map_err(&failed)?;
    let options = options(args);
    let rank = options.rank;
    let started = Instant::now();
    let iterated = with_bar("ITERA", |report| itera(&weight, &options, report)).map_err(&failed)?;
    let seconds = started.elapsed().as_secs_f64();
    let svd = if args.no_svd {
        None
    } else {
        let svd = progress::during("singular values", || Svd::new(&weight)).map_err(&failed)?;
        let rounded = with_bar("SVD, then quantization", |report| {
            svd_then_quantize(&weight, &svd, Some(args.format), rank, report)
        });
        Some((svd.best_errors(), rounded.map_err(&failed)?))
    };
    let ways = ways(&weight, args, rank, &iterated, svd.as_ref());
    let report = Report {
        place: place.clone(),
        args,
        loaded: &loaded,
        iterated: &iterated,
        ways,
        best: svd.as_ref().map(|(best, _)| best[rank]),
        seconds,
    };
    let text = if args.json {
        format!("{:#}\n", report.json())
    } else {
        report.text()
    };
    output::print(&text)
}

/// Shows a bar on a terminal while `work` reports its progress.
fn with_bar<T>(what: &'static str, work: impl FnOnce(&mut dyn FnMut(Progress)) -> T) -> T {
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg} {eta}");
    // Draws on stderr, and not at all where that is no terminal.
    let bar = ProgressBar::new(0)
        .with_style(style.expect("a correct template"))
        .with_prefix(what);
    let result = work(&mut |progress: Progress| {
        let count = |n: usize| u64::try_from(n).expect("usize is at most 64 bits");
        bar.set_length(count(progress.of));
        bar.set_position(count(progress.done));
        bar.set_message(match progress.sweep {
            0 => format!("error {:.4}", progress.error),
            sweep => format!("refit sweep {sweep}, error {:.4}", progress.error),
        });
    });
    bar.finish_and_clear();
    result
}

/// One line of the comparison.
struct Way {
    name: String,
    key: &'static str,
    format: Format,
    rank: Option<usize>,
    bits: u64,
    error: f64,
}

fn ways(
    weight: &Weight,
    args: &Args,
    rank: usize,
    iterated: &Decomposition,
    svd: Option<&(Vec<f64>, Decomposition)>,
) -> Vec<Way> {
    let (rows, cols) = (weight.rows(), weight.cols());
    let factored = |name: String, key, error| Way {
        name,
        key,
        format: args.format,
        rank: Some(rank),
        bits: factor_bits(Some(args.format), rows, cols, rank),
        error,
    };
    let plain = iterated.errors.last().expect("an error without terms");
    let mut ways = vec![factored("ITERA".into(), "itera", *plain)];
    if let Some(error) = iterated.refit_errors.last() {
        let name = format!("ITERA, {} refit sweeps", args.refit);
        ways.push(factored(name, "itera_refit", *error));
    }
    if let Some((_, rounded)) = svd {
        let name = "SVD, then quantization".into();
        ways.push(factored(name, "svd_then_quantize", rounded.error()));
    }
    let budget = ways[0].bits;
    let fits = (2..=8)
        .rev()
        .filter_map(Format::int)
        .find(|&format| weight_bits(format, rows, cols) <= budget);
    let whole = |key, format: Format| Way {
        name: "quantization only".into(),
        key,
        format,
        rank: None,
        bits: weight_bits(format, rows, cols),
        error: quantize_weight(weight, format).0,
    };
    ways.push(whole("quantize_same_format", args.format));
    if let Some(format) = fits.filter(|&format| format != args.format) {
        ways.push(whole("quantize_equal_storage", format));
    }
    ways
}

/// Everything that is printed.
struct Report<'a> {
    place: String,
    args: &'a Args,
    loaded: &'a Loaded,
    iterated: &'a Decomposition,
    ways: Vec<Way>,
    best: Option<f64>,
    seconds: f64,
}

impl Report<'_> {
    #[expect(clippy::cast_precision_loss, reason = "bits of a matrix in memory")]
    fn bits_per_weight(&self, way: &Way) -> f64 {
        way.bits as f64 / self.loaded.matrix.data().len() as f64
    }

    fn text(&self) -> String {
        let matrix = &self.loaded.matrix;
        let title = format!(
            "{}: {} x {} {}, {}, rank {}\n",
            self.place,
            matrix.rows(),
            matrix.cols(),
            self.loaded.source,
            self.args.format,
            self.args.rank
        );
        let mut facts = Facts::default();
        let found = self.iterated.terms.len();
        if found < self.ways[0].rank.expect("the first way has factors") {
            facts.add(
                "note",
                format!("{found} terms leave only the rounding of fp32"),
            );
        }
        if let Some(best) = self.best {
            facts.add("best error of the rank", format!("{best:.4}"));
        }
        facts.add(
            "leading pairs",
            format!(
                "{} passes over the residual, relative residual at most {:.1e}, {:.2} s",
                self.iterated.passes, self.iterated.worst_residual, self.seconds
            ),
        );
        let columns = ["way", "format", "rank", "bits per weight", "relative error"];
        let rows = self.ways.iter().map(|way| {
            vec![
                Cell::Text(way.name.clone()),
                Cell::Text(way.format.to_string()),
                way.rank
                    .map_or(Cell::Missing, |rank| Cell::Text(rank.to_string())),
                fixed_cell(self.bits_per_weight(way), 3),
                fixed_cell(way.error, 4),
            ]
        });
        title + &facts.to_text() + &section(columns.map(Column::new).to_vec(), rows.collect())
    }

    fn json(&self) -> Value {
        let matrix = &self.loaded.matrix;
        let mut ways = Map::new();
        for way in &self.ways {
            ways.insert(
                way.key.into(),
                json!({
                    "format": way.format.to_string(),
                    "rank": way.rank,
                    "storage_bits": way.bits,
                    "bits_per_weight": self.bits_per_weight(way),
                    "relative_error": way.error,
                }),
            );
        }
        json!({
            "file": self.args.file.display().to_string(),
            "tensor": self.loaded.tensor,
            "rows": matrix.rows(),
            "columns": matrix.cols(),
            "format": self.args.format.to_string(),
            "rank": self.args.rank,
            "terms": self.iterated.terms.len(),
            "best_rank_error": self.best,
            "ways": ways,
            "errors": self.iterated.errors,
            "refit_errors": self.iterated.refit_errors,
            "passes": self.iterated.passes,
            "worst_residual": self.iterated.worst_residual,
            "seconds": self.seconds,
            "version": dcom_sweep::VERSION,
        })
    }
}
