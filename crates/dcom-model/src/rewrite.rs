//! The same model with other weights in its linear ops, as a new checkpoint.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use dcom_tensor::TensorEntry;
use safetensors::tensor::{Dtype, TensorView};

use crate::checkpoint::in_layer;
use crate::error::ModelError;
use crate::layer::LINEAR;
use crate::model::Model;

/// A weight of a linear op: outputs x inputs, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearWeight {
    /// Its name in the checkpoint.
    pub name: String,
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub cols: usize,
    /// Its values.
    pub values: Vec<f32>,
}

impl Model {
    /// The names of all weights of linear ops that a plan could decompose, layer by layer.
    #[must_use]
    pub fn linear_names(&self) -> Vec<String> {
        let layers = 0..self.config().layers;
        let names = layers.flat_map(|layer| LINEAR.map(|(part, _)| in_layer(layer, part)));
        names.collect()
    }

    /// Reads one of [`Model::linear_names`].
    ///
    /// # Errors
    /// There is no such weight, or it cannot be read.
    pub fn linear(&self, name: &str) -> Result<LinearWeight, ModelError> {
        if !self.linear_names().iter().any(|known| known == name) {
            return Err(ModelError::Request(format!(
                "{name}: no weight of a linear layer of this model; they are called like {}",
                in_layer(0, LINEAR[0].0)
            )));
        }
        let tensor = self.checkpoint().load(name, &Device::Cpu)?;
        let (rows, cols) = tensor.dims2()?;
        Ok(LinearWeight {
            name: name.to_owned(),
            rows,
            cols,
            values: tensor.flatten_all()?.to_vec1()?,
        })
    }

    /// Writes a checkpoint into a new folder, with `replace` deciding the values of every weight of a linear op; those are written in fp32, all
    /// others as they are. Memory holds one file of the checkpoint.
    ///
    /// # Errors
    /// What `replace` says, or a file that cannot be read or written.
    pub fn rewrite<E: From<ModelError>>(
        &self,
        folder: &Path,
        mut replace: impl FnMut(LinearWeight) -> Result<Vec<f32>, E>,
    ) -> Result<(), E> {
        let fail = |path: &Path, error: &std::io::Error| ModelError::File {
            path: path.to_owned(),
            problem: format!("cannot be written: {error}"),
        };
        std::fs::create_dir_all(folder).map_err(|error| fail(folder, &error))?;
        let linear = self.linear_names();
        for (path, entries) in self.checkpoint().by_file() {
            let mut parts = Vec::new();
            for entry in entries {
                parts.push(if linear.contains(&entry.name) {
                    let weight = self.linear(&entry.name)?;
                    let shape = vec![weight.rows, weight.cols];
                    let values = replace(weight)?;
                    let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
                    (entry.name.clone(), Dtype::F32, shape, bytes)
                } else {
                    self.kept(entry)?
                });
            }
            let views = parts.iter().map(|(name, dtype, shape, bytes): &Part| {
                let view = TensorView::new(*dtype, shape.clone(), bytes);
                (
                    name.as_str(),
                    view.expect("as many bytes as the shape says"),
                )
            });
            let name = path.file_name().expect("a file of the checkpoint");
            let to = folder.join(name);
            let bytes =
                safetensors::serialize(views, None).expect("names and shapes of a checkpoint");
            std::fs::write(&to, bytes).map_err(|error| fail(&to, &error))?;
        }
        for name in [
            "config.json",
            "tokenizer.json",
            "model.safetensors.index.json",
        ] {
            let from = self.folder().join(name);
            if from.exists() {
                let to = folder.join(name);
                std::fs::copy(from, &to).map_err(|error| fail(&to, &error))?;
            }
        }
        Ok(())
    }

    /// A tensor as it is.
    fn kept(&self, entry: &TensorEntry) -> Result<Part, ModelError> {
        let tensor: Tensor = self.checkpoint().load(&entry.name, &Device::Cpu)?;
        let shape = tensor.dims().to_vec();
        let flat = tensor.flatten_all()?;
        // Rounding back what was widened is exact.
        let (dtype, bytes) = match entry.dtype.as_str() {
            "F16" => {
                let values = flat.to_dtype(DType::F16)?.to_vec1::<half::f16>()?;
                (
                    Dtype::F16,
                    values.iter().flat_map(|x| x.to_le_bytes()).collect(),
                )
            }
            "BF16" => {
                let values = flat.to_dtype(DType::BF16)?.to_vec1::<half::bf16>()?;
                (
                    Dtype::BF16,
                    values.iter().flat_map(|x| x.to_le_bytes()).collect(),
                )
            }
            _ => {
                let values = flat.to_vec1::<f32>()?;
                (
                    Dtype::F32,
                    values.iter().flat_map(|x| x.to_le_bytes()).collect(),
                )
            }
        };
        Ok((entry.name.clone(), dtype, shape, bytes))
    }
}

/// Name, type, shape and bytes of a tensor.
type Part = (String, Dtype, Vec<usize>, Vec<u8>);
