//! `dcom trace`: traces without values.

use std::path::PathBuf;

use dcom_llm::Model;
use dcom_trace::{Dtype, Prompt, Trace, decoder_layer};

use crate::failure::Failure;
use crate::output::{self, Target};

/// Subcommands of `dcom trace`.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Write the shapes of a decoder layer for prompts of given lengths
    New(NewArgs),
}

/// Arguments of `dcom trace new`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct NewArgs {
    /// Model, such as configs/models/llama-2-7b.toml
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Tokens of a prompt; may be repeated, one prompt each
    #[arg(long, value_name = "S", required = true, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    sequence: Vec<u32>,
    /// Which layer
    #[arg(long, value_name = "L", default_value_t = 0)]
    layer: u32,
    /// Folder of the trace, which is made if it is not there
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
}

const AFTER_HELP: &str = "\
docs/traces.md says what a trace is.

Example:
  dcom trace new --model configs/models/llama-2-7b.toml --sequence 468 --output my-trace
  dcom replay my-trace --arch configs/arch/dcom-paper.toml";

/// Runs the command.
///
/// # Errors
/// Bad input, or a manifest that cannot be written.
pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let Command::New(args) = command;
    let model = Model::read(&args.model)?;
    if args.layer >= model.layers {
        let message = format!(
            "--layer {}: must be below {}, the layers of {}",
            args.layer, model.layers, model.name
        );
        return Err(Failure::input(message));
    }
    let dtype = match model.element_bytes {
        2 => Dtype::F16,
        4 => Dtype::F32,
        other => {
            let message = format!(
                "{}: model.element_bytes = {other}: traces hold 2 or 4 bytes an element",
                args.model.display()
            );
            return Err(Failure::input(message));
        }
    };
    let shape = shape(&model);
    let prompt = |(i, length): (usize, &u32)| Prompt {
        id: format!("p{i}"),
        length: *length,
        text: None,
    };
    let trace = Trace {
        folder: args.output.clone(),
        ops: decoder_layer(&shape, dtype),
        model: shape,
        layer: args.layer,
        source: "dcom trace new: shapes only".to_owned(),
        recording: None,
        prompts: args.sequence.iter().enumerate().map(prompt).collect(),
        tensors: Vec::new(),
    };
    write(&trace)?;
    output::print(&format!("{}: {} ops\n", trace.name(), trace.ops.len()))
}

/// The sizes of a model's layers.
fn shape(model: &Model) -> dcom_trace::Model {
    dcom_trace::Model {
        name: model.name.clone(),
        hidden: model.hidden,
        heads: model.heads,
        kv_heads: model.kv_heads,
        head_size: model.head_channels,
        ffn: model.feed_forward,
    }
}

fn write(trace: &Trace) -> Result<(), Failure> {
    let manifest = trace.folder.join("manifest.toml");
    if manifest.exists() {
        let message = format!(
            "{}: is there already; give a new folder",
            manifest.display()
        );
        return Err(Failure::input(message));
    }
    std::fs::create_dir_all(&trace.folder).map_err(|source| Failure::Write {
        place: trace.folder.display().to_string(),
        source,
    })?;
    Target::new(&manifest)?.write(|out| out.write_all(trace.manifest().as_bytes()))
}
