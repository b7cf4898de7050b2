//! Recording: what linear ops of one layer read for some prompts, and their weights, as a trace (docs/traces.md).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use candle_core::{DType, Tensor};
use dcom_trace::{Dtype, Of, Prompt, Trace, recorded_layer};
use half::f16;
use safetensors::tensor::{Dtype as SafeDtype, TensorView};

use crate::error::ModelError;
use crate::layer::{LINEAR, Value};
use crate::model::{Model, Visitor, Watch};

/// Keeps values of one layer.
struct Recorder {
    layer: usize,
    kept: Mutex<BTreeMap<(usize, &'static str), Tensor>>,
}

impl Visitor for Recorder {
    fn weight(&self, _layer: usize, weight: Tensor) -> Result<Tensor, ModelError> {
        Ok(weight)
    }

    fn watch(&self, layer: usize, prompt: usize) -> Watch<'_> {
        Box::new(move |value: Value, tensor| {
            if layer == self.layer {
                let mut kept = self.kept.lock().expect("no thread panics with it");
                kept.insert((prompt, value.name()), tensor.clone());
            }
            Ok(tensor)
        })
    }

    fn layers(&self, _all: usize) -> usize {
        self.layer + 1
    }
}

/// Runs prompts up to a layer and writes what its linear ops read, in fp16, with their weights into a new folder. `texts` says for each
/// prompt its name and where its text is from.
///
/// # Errors
/// The model has no such layer, a value is beyond fp16, or a file cannot be written.
pub fn record(
    model: &Model,
    layer: u32,
    prompts: &[Vec<u32>],
    texts: &[(String, String)],
    folder: &Path,
) -> Result<Trace, ModelError> {
    let at = usize::try_from(layer).expect("32 bits");
    let config = model.config();
    if at >= config.layers {
        return Err(ModelError::Request(format!(
            "layer {layer}: the model has layers 0 to {}",
            config.layers - 1
        )));
    }
    let recorder = Recorder {
        layer: at,
        kept: Mutex::default(),
    };
    model.states(prompts, &recorder)?;
    let kept = recorder.kept.into_inner().expect("no thread panicked");
    let shape = shape(model);
    let mut trace = Trace {
        folder: folder.to_owned(),
        ops: recorded_layer(&shape, Dtype::F16),
        model: shape,
        layer,
        source: format!(
            "dcom record {}, values rounded to fp16",
            env!("CARGO_PKG_VERSION")
        ),
        recording: None,
        prompts: prompts
            .iter()
            .zip(texts)
            .map(|(tokens, (id, text))| Prompt {
                id: id.clone(),
                length: narrow(tokens.len()),
                text: Some(text.clone()),
            })
            .collect(),
        tensors: Vec::new(),
    };
    std::fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
    for prompt in trace.prompt_ids() {
        let file = format!("prompt-{}.safetensors", prompt.index());
        let values =
            Value::ALL.map(|value| (value.name(), kept[&(prompt.index(), value.name())].clone()));
        write(&folder.join(&file), layer, &values)?;
        for (name, _) in &values {
            let op = trace.find(name).expect("an op of every recorded layer");
            trace
                .tensors
                .push(tensor(Of::Activation(op, prompt), &file, name));
        }
    }
    let weights = LINEAR.map(|(part, name)| model.weight(at, part).map(|weight| (name, weight)));
    let weights = weights.into_iter().collect::<Result<Vec<_>, _>>()?;
    write(&folder.join(WEIGHTS), layer, &weights)?;
    for (name, _) in &weights {
        let op = trace.find(name).expect("an op of every recorded layer");
        trace.tensors.push(tensor(Of::Weight(op), WEIGHTS, name));
    }
    Ok(trace)
}

fn narrow(size: usize) -> u32 {
    u32::try_from(size).expect("checked by the configuration")
}

fn shape(model: &Model) -> dcom_trace::Model {
    let config = model.config();
    dcom_trace::Model {
        name: name(model),
        hidden: narrow(config.hidden),
        heads: narrow(config.heads),
        kv_heads: narrow(config.kv_heads),
        head_size: narrow(config.head_size),
        ffn: narrow(config.ffn),
    }
}

const WEIGHTS: &str = "weights.safetensors";

fn name(model: &Model) -> String {
    let folder = model
        .folder()
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    folder.unwrap_or_else(|| "Llama".to_owned())
}

fn tensor(of: Of, file: &str, name: &str) -> dcom_trace::Tensor {
    dcom_trace::Tensor {
        of,
        file: file.to_owned(),
        name: name.to_owned(),
        best_rank_error: Vec::new(),
    }
}

/// Writes matrices in fp16.
fn write(path: &Path, layer: u32, values: &[(&'static str, Tensor)]) -> Result<(), ModelError> {
    let mut named = Vec::new();
    for (name, value) in values {
        let (rows, columns) = value.dims2()?;
        let halves = value
            .to_dtype(DType::F16)?
            .flatten_all()?
            .to_vec1::<f16>()?;
        let count = halves.iter().filter(|x| !x.is_finite()).count();
        if count > 0 {
            return Err(ModelError::Overflow {
                layer,
                value: name,
                count,
            });
        }
        let bytes: Vec<u8> = halves.iter().flat_map(|x| x.to_le_bytes()).collect();
        named.push((*name, [rows, columns], bytes));
    }
    let views = named.iter().map(|(name, shape, bytes)| {
        let view =
            TensorView::new(SafeDtype::F16, shape.to_vec(), bytes).expect("two bytes per value");
        (*name, view)
    });
    let file = safetensors::serialize(views, None).expect("names and shapes of our own");
    std::fs::write(path, file).map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &std::io::Error) -> ModelError {
    ModelError::File {
        path: path.to_owned(),
        problem: format!("cannot be written: {error}"),
    }
}
