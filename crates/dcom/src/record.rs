//! `dcom record`: a layer of a model that runs, as a trace for `dcom replay` and `dcom calibrate`.

use std::path::PathBuf;

use dcom_model::{Model, record};
use dcom_trace::MANIFEST;

use crate::eval::{TextArgs, device};
use crate::failure::Failure;
use crate::output::{self, Target};
use crate::progress;

/// Arguments of `dcom record`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Checkpoint of a Llama: config.json, *.safetensors, tokenizer.json (none for a model on bytes)
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// Layer, from 0; the model runs no further
    #[arg(long, value_name = "L")]
    layer: u32,
    #[command(flatten)]
    text: TextArgs,
    /// Folder of the trace, which is made
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
    /// Run on this CUDA device; needs a build with `--features cuda`
    #[arg(long, value_name = "N")]
    cuda: Option<usize>,
}

const AFTER_HELP: &str = "\
A window of the text becomes a prompt of the trace, with what q, k and v, o, gate and up, and down read, and the weights of these, all
in fp16. Times are not recorded. docs/traces.md says what a trace is.

Example:
  dcom record --model crates/dcom-model/fixtures/tinyllama --text crates/dcom-model/fixtures/tinyllama/valid-a.txt \\
    --windows 4 --layer 2 --output my-trace
  dcom calibrate my-trace --output outliers.toml";

/// Runs the command.
///
/// # Errors
/// Bad input, or results that cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let manifest = args.output.join(MANIFEST);
    if args.output.exists() {
        let message = format!(
            "{}: is there already; give a new folder",
            args.output.display()
        );
        return Err(Failure::input(message));
    }
    let model = Model::open(&args.model, device(args.cuda)?)?;
    let (windows, length) = args.text.windows(&model)?;
    let unit = model.tokens().unit();
    let text = |i: usize| {
        let from = args.text.offset() + i * length;
        let file = args
            .text
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        (
            format!("{unit}-{from}"),
            format!("{file}, {length} {unit}s from {from} on"),
        )
    };
    let texts: Vec<_> = (0..windows.len()).map(text).collect();
    let trace = progress::during("running the model", || {
        record(&model, args.layer, &windows, &texts, &args.output)
    })?;
    Target::new(&manifest)?.write(|out| out.write_all(trace.manifest().as_bytes()))?;
    output::print(&format!(
        "{}: layer {}, {} prompts, {} matrices\n",
        trace.name(),
        args.layer,
        trace.prompts.len(),
        trace.tensors.len()
    ))
}
