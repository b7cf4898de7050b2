//! `dcom generate`: seeded matrices that look like those of Llama models.

use std::path::PathBuf;

use dcom_reference::synthetic::{Variant, llama_like};
use dcom_tensor::write_npy;

use crate::failure::Failure;
use crate::output::Target;
use crate::progress;

/// What `dcom generate` makes.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// An activation as of Llama-2-7B: fp16, rows = tokens, outlier channels and, in the residual stream, massive entries
    #[command(after_help = AFTER_HELP)]
    Activation(Activation),
}

/// Arguments of `dcom generate activation`.
#[derive(clap::Args)]
pub(crate) struct Activation {
    /// Tokens
    #[arg(value_parser = clap::value_parser!(u32).range(1..=65_536))]
    rows: u32,
    /// Channels
    #[arg(value_parser = clap::value_parser!(u32).range(1..=65_536))]
    columns: u32,
    /// The file
    #[arg(value_name = "FILE.npy")]
    output: PathBuf,
    /// Which point of a layer
    #[arg(long, value_name = "POINT", default_value = "post-norm")]
    point: Point,
    /// The same seed gives the same matrix on every platform
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Points of a layer.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Point {
    /// After RMSNorm: the input of the q, k, v and ffn up projections
    PostNorm,
    /// The residual stream, without massive entries
    Residual,
    /// The residual stream of layers 2 to 30, with massive entries in two tokens
    ResidualMassive,
}

const AFTER_HELP: &str = "\
How the values are made, and which of their statistics are fitted to what: docs/algorithms.md.

Examples:
  dcom generate activation 468 4096 activation.npy
  dcom generate activation 2048 4096 residual.npy --point residual-massive --seed 7";

/// Runs the command.
///
/// # Errors
/// A file that cannot be written.
pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Activation(args) = command;
    let target = Target::new(&args.output)?;
    let variant = match args.point {
        Point::PostNorm => Variant::PostNorm,
        Point::Residual => Variant::Residual,
        Point::ResidualMassive => Variant::ResidualMassive,
    };
    let matrix = progress::during("generating", || {
        llama_like(
            args.rows as usize,
            args.columns as usize,
            args.seed,
            variant,
        )
    })
    .map_err(|error| Failure::Internal(error.to_string()))?;
    write_npy(target.path(), &matrix)?;
    Ok(())
}
