//! The weights of a checkpoint: which file holds what, and tensors one at a time.
//!
//! Hugging Face layout: `model.safetensors`, or shards that `model.safetensors.index.json` lists under `weight_map`. Names and
//! shapes of all tensors are compared with the configuration before any value is read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use dcom_tensor::{TensorEntry, list_tensors, read_f32};
use serde::Deserialize;

use crate::config::{Config, read_text};
use crate::error::ModelError;

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// Beyond this an index is something else; that of Llama-2-70B has 70 kB.
const INDEX_BYTES: u64 = 64 << 20;

/// Tensors by name, with the file that holds them.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    tensors: BTreeMap<String, (PathBuf, TensorEntry)>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Checkpoint {
    /// Reads all headers and compares them with the configuration.
    pub(crate) fn open(folder: &Path, config: &Config) -> Result<Checkpoint, ModelError> {
        let mut tensors = BTreeMap::new();
        for path in files(folder)? {
            for entry in list_tensors(&path)? {
                tensors.insert(entry.name.clone(), (path.clone(), entry));
            }
        }
        let checkpoint = Checkpoint { tensors };
        checkpoint.check(folder, config)?;
        Ok(checkpoint)
    }

    fn check(&self, folder: &Path, config: &Config) -> Result<(), ModelError> {
        let expected = expected(config);
        let missing: Vec<&String> = expected
            .iter()
            .map(|(name, _)| name)
            .filter(|name| !self.tensors.contains_key(*name))
            .collect();
        if let Some(first) = missing.first() {
            return Err(ModelError::Incomplete {
                folder: folder.to_owned(),
                missing: missing.len(),
                all: expected.len(),
                first: (*first).clone(),
            });
        }
        for (name, shape) in &expected {
            let (path, entry) = &self.tensors[name];
            if entry.shape != *shape {
                return Err(ModelError::Shape {
                    path: path.clone(),
                    tensor: name.clone(),
                    found: entry.shape.clone(),
                    expected: shape.clone(),
                });
            }
        }
        Ok(())
    }

    /// The tensors of each file, by name.
    pub(crate) fn by_file(&self) -> BTreeMap<&Path, Vec<&TensorEntry>> {
        let mut files: BTreeMap<&Path, Vec<&TensorEntry>> = BTreeMap::new();
        for (path, entry) in self.tensors.values() {
            files.entry(path).or_default().push(entry);
        }
        files
    }

    /// Reads a tensor that the configuration asks for, in fp32.
    pub(crate) fn load(&self, name: &str, device: &Device) -> Result<Tensor, ModelError> {
        let (path, entry) = &self.tensors[name];
        let shape: Vec<usize> = entry
            .shape
            .iter()
            .map(|side| usize::try_from(*side).expect("checked against the configuration"))
            .collect();
        Ok(Tensor::from_vec(read_f32(path, entry)?, shape, device)?)
    }
}

/// The files of a checkpoint, which lie in its folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let index = folder.join(INDEX);
    if !index.exists() {
        let single = folder.join(SINGLE);
        if single.exists() {
            return Ok(vec![single]);
        }
        return Err(ModelError::File {
            path: folder.to_owned(),
            problem: format!("the checkpoint is incomplete: there is neither {SINGLE} nor {INDEX}"),
        });
    }
    let fail = |problem: String| ModelError::File {
        path: index.clone(),
        problem,
    };
    let parsed: Index = serde_json::from_str(&read_text(&index, INDEX_BYTES)?)
        .map_err(|error| fail(error.to_string()))?;
    let mut names: Vec<&String> = parsed.weight_map.values().collect();
    names.sort();
    names.dedup();
    let mut files = Vec::new();
    for name in names {
        if name.contains(['/', '\\', ':']) || name.starts_with('.') {
            return Err(fail(format!(
                "weight_map names \"{name}\", must be a file beside the index"
            )));
        }
        let path = folder.join(name);
        if !path.exists() {
            return Err(fail(format!(
                "the checkpoint is incomplete: there is no {name} beside the index"
            )));
        }
        files.push(path);
    }
    Ok(files)
}

/// Name of a tensor of a layer.
pub(crate) fn in_layer(layer: usize, part: &str) -> String {
    format!("model.layers.{layer}.{part}.weight")
}

pub(crate) const EMBEDDING: &str = "model.embed_tokens.weight";
pub(crate) const NORM: &str = "model.norm.weight";
pub(crate) const HEAD: &str = "lm_head.weight";

/// Every tensor that a run reads, with its shape.
fn expected(config: &Config) -> Vec<(String, Vec<u64>)> {
    let sizes = |sides: &[usize]| -> Vec<u64> {
        sides
            .iter()
            .map(|side| u64::try_from(*side).expect("usize is at most 64 bits"))
            .collect()
    };
    let (hidden, ffn) = (config.hidden, config.ffn);
    let (wide, kv_wide) = (
        config.heads * config.head_size,
        config.kv_heads * config.head_size,
    );
    let parts = [
        ("input_layernorm", vec![hidden]),
        ("self_attn.q_proj", vec![wide, hidden]),
        ("self_attn.k_proj", vec![kv_wide, hidden]),
        ("self_attn.v_proj", vec![kv_wide, hidden]),
        ("self_attn.o_proj", vec![hidden, wide]),
        ("post_attention_layernorm", vec![hidden]),
        ("mlp.gate_proj", vec![ffn, hidden]),
        ("mlp.up_proj", vec![ffn, hidden]),
        ("mlp.down_proj", vec![hidden, ffn]),
    ];
    let mut all = vec![(EMBEDDING.to_owned(), sizes(&[config.vocabulary, hidden]))];
    for layer in 0..config.layers {
        all.extend(
            parts
                .iter()
                .map(|(part, shape)| (in_layer(layer, part), sizes(shape))),
        );
    }
    all.push((NORM.to_owned(), sizes(&[hidden])));
    if !config.tied {
        all.push((HEAD.to_owned(), sizes(&[config.vocabulary, hidden])));
    }
    all
}
