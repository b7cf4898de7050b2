//! `cargo xtask reproduce itera`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use dcom_itera::{Format, LayerStudy, Report, Subject, Weight};
use dcom_report::write_atomic;
use dcom_tensor::{ReadOptions, read_matrix};

/// A weight of the project, and an input of its layer that was recorded (q, k and v share theirs).
struct Known {
    name: &'static str,
    weight: (&'static str, &'static str),
    input: (&'static str, &'static str),
}

const fn known(
    name: &'static str,
    weight: (&'static str, &'static str),
    input: (&'static str, &'static str),
) -> Known {
    Known {
        name,
        weight,
        input,
    }
}

/// MiniLM's, then those of the shipped byte model.
const LAYERS: [Known; 9] = [
    known("layer2.q", (LAYER2, "q.weight"), LAYER2_INPUT),
    known("layer2.k", (LAYER2, "k.weight"), LAYER2_INPUT),
    known("layer2.v", (LAYER2, "v.weight"), LAYER2_INPUT),
    known(
        "layer3.o",
        ("traces/minilm-layer3/weights.safetensors", "o.weight"),
        (
            "traces/minilm-layer3/apache2_S256.attention.safetensors",
            "activation",
        ),
    ),
    known(
        "layer4.fc1",
        (
            "crates/dcom-itera/data/minilm-layer4.safetensors",
            "fc1.weight",
        ),
        (
            "traces/minilm-layer4/rustbook_ownership_S256.attention_norm.safetensors",
            "activation",
        ),
    ),
    known("tiny.q", (TINY, "q.weight"), (TINY_INPUT, "input_norm")),
    known("tiny.o", (TINY, "o.weight"), (TINY_INPUT, "attention")),
    known("tiny.gate", (TINY, "gate.weight"), (TINY_INPUT, "ffn_norm")),
    known("tiny.down", (TINY, "down.weight"), (TINY_INPUT, "act")),
];
const LAYER2: &str = "traces/minilm-layer2/weights.safetensors";
const LAYER2_INPUT: (&str, &str) = (
    "traces/minilm-layer2/rustbook_ownership_S256.x.safetensors",
    "activation",
);
const TINY: &str = "traces/tinyllama-layer2/weights.safetensors";
const TINY_INPUT: &str = "traces/tinyllama-layer2/prompt-0.safetensors";

/// Formats of the report when none is asked for: all 14 take about three times as long.
const FORMATS: [&str; 5] = ["int2", "int3", "int4", "int8", "mxfp4"];

/// Arguments of `reproduce itera`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Study this weight instead of the project's; may be repeated.
    #[arg(long = "weight", value_name = "FILE:TENSOR")]
    weights: Vec<String>,
    /// Formats of the baseline and of factors; may be repeated [default: int2, int3, int4, int8, mxfp4].
    #[arg(long = "format", value_name = "FORMAT")]
    formats: Vec<Format>,
    /// Directory for the report.
    #[arg(long, default_value = "reports/itera")]
    output: PathBuf,
}

/// Writes tables, figures and the page.
pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    std::env::set_current_dir(root).context("entering the repository")?;
    let subjects = if args.weights.is_empty() {
        known_weights()?
    } else {
        let named = args.weights.iter().map(|text| subject(text));
        named.collect::<Result<Vec<_>>>()?
    };
    let formats = if args.formats.is_empty() {
        let named = FORMATS.iter().map(|name| name.parse::<Format>());
        named.collect::<Result<Vec<_>, _>>()?
    } else {
        args.formats.clone()
    };
    let mut layers = Vec::new();
    for subject in &subjects {
        let layer = LayerStudy::compute(subject, &formats, &mut |what| eprintln!("{what} ..."))
            .with_context(|| subject.name.clone())?;
        layers.push(layer);
    }
    let provenance = format!("dcom {}", env!("CARGO_PKG_VERSION"));
    let report = Report::new(layers, provenance)?;
    let folder = &args.output;
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    for (name, table) in report.tables()? {
        let mut bytes = Vec::new();
        table.to_csv(&mut bytes)?;
        write_atomic(folder.join(format!("{name}.csv")), &bytes)?;
    }
    for (name, figure) in report.figures() {
        figure.write(folder.join(format!("{name}.svg")))?;
        figure.write(folder.join(format!("{name}.png")))?;
    }
    write_atomic(folder.join("README.md"), report.markdown()?.as_bytes())?;
    println!("{}/README.md", folder.display());
    Ok(())
}

/// The project's weights.
fn known_weights() -> Result<Vec<Subject>> {
    let each = LAYERS.iter().map(|known| {
        let read = |(file, tensor): (&str, &str)| read(Path::new(file), Some(tensor));
        Ok(Subject {
            name: known.name.to_owned(),
            weight: read(known.weight)?,
            activation: Some(read(known.input)?),
        })
    });
    each.collect()
}

/// `FILE:TENSOR`.
fn subject(text: &str) -> Result<Subject> {
    let (file, tensor) = text
        .rsplit_once(':')
        .with_context(|| format!("--weight {text}: expected FILE:TENSOR"))?;
    Ok(Subject {
        name: tensor.to_owned(),
        weight: read(Path::new(file), Some(tensor))?,
        activation: None,
    })
}

fn read(path: &Path, tensor: Option<&str>) -> Result<Weight> {
    let options = ReadOptions {
        tensor: tensor.map(str::to_owned),
        ..ReadOptions::default()
    };
    let loaded = read_matrix(path, &options)?;
    Weight::try_from(&loaded.matrix).with_context(|| path.display().to_string())
}
