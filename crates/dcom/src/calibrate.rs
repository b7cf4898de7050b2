//! `dcom calibrate`: outlier thresholds per layer from recorded prompts.

use std::path::PathBuf;

use dcom_report::{Cell, Column};
use dcom_trace::{CalibrateOptions, Calibrated, Calibration, Trace, calibrate};

use crate::failure::Failure;
use crate::output::{self, Target};
use crate::progress;
use crate::text::{percent, section};

/// Arguments of `dcom calibrate`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Traces of one model with activations; those of the same layer are taken together
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
    /// Write the rules
    #[arg(long, value_name = "FILE.toml")]
    output: PathBuf,
    /// Share of the channels to flag, over all prompts (percent) [default: 3.02, the paper's average]
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    channels: Option<f64>,
    /// Smallest count of large elements in a channel, as a share of the tokens of the shortest prompt (percent) [default: 5]
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    tokens: Option<f64>,
}

const AFTER_HELP: &str = "\
A channel is an outlier when at least `minimum_count` of its elements exceed `threshold` in magnitude. docs/traces.md says how
both are chosen. `held out` is the share flagged in a prompt by the threshold of all other prompts.

Example:
  dcom calibrate traces/tinyllama-layer2 traces/tinyllama-layer5 --output outliers.toml
  dcom replay traces/tinyllama-layer5 --arch configs/arch/dcom-paper.toml --rank 10 --outliers outliers.toml";

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("expected a percentage from 0 to 100".to_owned()),
    }
}

/// Runs the command.
///
/// # Errors
/// Bad input, or results that cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let target = Target::new(&args.output)?;
    let traces = args
        .traces
        .iter()
        .map(|path| Trace::read(path))
        .collect::<Result<Vec<_>, _>>()?;
    let standard = CalibrateOptions::default();
    let options = CalibrateOptions {
        channel_share: args.channels.unwrap_or(standard.channel_share),
        token_share: args.tokens.unwrap_or(standard.token_share),
    };
    let calibrated = progress::during("reading activations", || calibrate(&traces, options))?;
    let file = Calibration::from(calibrated.as_slice()).to_toml();
    target.write(|out| out.write_all(file.as_bytes()))?;
    output::print(&table(&calibrated))
}

fn table(calibrated: &[Calibrated]) -> String {
    let columns = vec![
        Column::new("layer"),
        Column::new("value"),
        Column::new("threshold"),
        Column::new("minimum count"),
        Column::new("prompts"),
        Column::new("flagged").unit("%"),
        Column::new("held out").unit("%"),
        Column::new("in all prompts").unit("% of those in any"),
    ];
    let row = |c: &Calibrated| -> Vec<Cell> {
        vec![
            u64::from(c.outliers.layer).into(),
            c.outliers.value.as_str().into(),
            Cell::real(c.outliers.rule.threshold, 4),
            u64::from(c.outliers.rule.minimum_count).into(),
            Cell::Integer(i128::try_from(c.shares.len()).expect("few")),
            span(&c.shares),
            span(&c.held_out_shares),
            if c.shares.len() > 1 {
                percent(c.agreement).into()
            } else {
                Cell::Missing
            },
        ]
    };
    let text = section(columns, calibrated.iter().map(row).collect());
    text.trim_start_matches('\n').to_owned()
}

/// Least and largest of some shares.
fn span(shares: &[f64]) -> Cell {
    let least = shares.iter().copied().reduce(f64::min);
    let largest = shares.iter().copied().reduce(f64::max);
    match (least, largest) {
        (Some(least), Some(largest)) if least < largest => {
            format!("{} to {}", percent(least), percent(largest)).into()
        }
        (Some(only), Some(_)) => percent(only).into(),
        _ => Cell::Missing,
    }
}
