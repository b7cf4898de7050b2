//! A model: opened from a checkpoint's headers, run layer by layer with the weights of one layer in memory.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use crate::checkpoint::{Checkpoint, EMBEDDING, HEAD, NORM};
use crate::config::Config;
use crate::error::ModelError;
use crate::layer::{Layer, Positions, Value, log_likelihoods, logits};
use crate::tokens::Tokens;

/// What is done to one prompt in one layer: sees each value that linear ops read, in the order in which they are computed, and says what
/// they read instead.
pub type Watch<'a> = Box<dyn FnMut(Value, Tensor) -> Result<Tensor, ModelError> + 'a>;

/// What is done to prompts and weights on the way.
pub(crate) trait Visitor: Sync {
    /// Replaces a linear op's weight of a layer.
    fn weight(&self, layer: usize, weight: Tensor) -> Result<Tensor, ModelError>;

    /// Sees the values of one prompt in one layer.
    fn watch(&self, layer: usize, prompt: usize) -> Watch<'_>;

    /// How many layers are of interest; the run ends behind them.
    fn layers(&self, all: usize) -> usize {
        all
    }
}

/// The model as it is.
pub(crate) struct Untouched;

impl Visitor for Untouched {
    fn weight(&self, _layer: usize, weight: Tensor) -> Result<Tensor, ModelError> {
        Ok(weight)
    }

    fn watch(&self, _layer: usize, _prompt: usize) -> Watch<'_> {
        Box::new(|_, value| Ok(value))
    }
}

/// A checkpoint whose configuration, tokenizer and tensor shapes have been checked.
#[derive(Clone, Debug)]
pub struct Model {
    folder: PathBuf,
    config: Config,
    tokens: Tokens,
    checkpoint: Checkpoint,
    device: Device,
}

impl Model {
    /// Opens a checkpoint; no weight is read yet.
    ///
    /// # Errors
    /// It is not the checkpoint of a Llama, is incomplete, or has tensors of wrong shapes.
    pub fn open(folder: &Path, device: Device) -> Result<Model, ModelError> {
        if !folder.is_dir() {
            return Err(ModelError::File {
                path: folder.to_owned(),
                problem:
                    "is not the folder of a checkpoint (config.json, *.safetensors, tokenizer.json)"
                        .to_owned(),
            });
        }
        let config = Config::read(&folder.join("config.json"))?;
        Ok(Model {
            folder: folder.to_owned(),
            tokens: Tokens::open(folder, &config)?,
            checkpoint: Checkpoint::open(folder, &config)?,
            config,
            device,
        })
    }

    /// Where it was opened.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sizes and constants.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// How it reads text.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// log P of each token but the first of each prompt, given those before it.
    pub(crate) fn log_likelihoods(
        &self,
        prompts: &[Vec<u32>],
        visitor: &impl Visitor,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let states = self.states(prompts, visitor)?;
        let (norm, head) = self.head()?;
        self.each(prompts.len(), |i| {
            log_likelihoods(&states[i], &norm, &head, &self.config, &prompts[i])
        })
    }

    /// The logits behind the last token of each prompt, one per token of the vocabulary.
    ///
    /// # Errors
    /// A prompt does not suit the model, or a weight cannot be read.
    pub fn last_logits(&self, prompts: &[Vec<u32>]) -> Result<Vec<Vec<f32>>, ModelError> {
        let states = self.states(prompts, &Untouched)?;
        let (norm, head) = self.head()?;
        self.each(prompts.len(), |i| {
            let last = states[i].narrow(0, prompts[i].len() - 1, 1)?;
            Ok(logits(&last, &norm, &head, &self.config)?
                .squeeze(0)?
                .to_vec1()?)
        })
    }

    /// The residual stream of each prompt behind the last layer of interest.
    pub(crate) fn states(
        &self,
        prompts: &[Vec<u32>],
        visitor: &impl Visitor,
    ) -> Result<Vec<Tensor>, ModelError> {
        self.check(prompts)?;
        let longest = prompts.iter().map(Vec::len).max().unwrap_or(1);
        let positions = Positions::new(&self.config, longest, &self.device)?;
        let mut states = self.embedded(prompts)?;
        for index in 0..visitor.layers(self.config.layers) {
            let layer = Layer::load(&self.checkpoint, index, &self.device, |weight| {
                visitor.weight(index, weight)
            })?;
            states = self.each(prompts.len(), |i| {
                layer.forward(
                    &states[i],
                    &self.config,
                    &positions,
                    visitor.watch(index, i),
                )
            })?;
        }
        Ok(states)
    }

    /// A weight of a linear op, by its name in checkpoints.
    pub(crate) fn weight(&self, layer: usize, part: &str) -> Result<Tensor, ModelError> {
        let name = crate::checkpoint::in_layer(layer, part);
        self.checkpoint.load(&name, &self.device)
    }

    fn head(&self) -> Result<(Tensor, Tensor), ModelError> {
        let head = if self.config.tied { EMBEDDING } else { HEAD };
        Ok((
            self.checkpoint.load(NORM, &self.device)?,
            self.checkpoint.load(head, &self.device)?,
        ))
    }

    fn embedded(&self, prompts: &[Vec<u32>]) -> Result<Vec<Tensor>, ModelError> {
        let table = self.checkpoint.load(EMBEDDING, &self.device)?;
        let embed = |prompt: &Vec<u32>| {
            let tokens = Tensor::new(prompt.as_slice(), &self.device)?;
            Ok(table.index_select(&tokens, 0)?)
        };
        prompts.iter().map(embed).collect()
    }

    fn check(&self, prompts: &[Vec<u32>]) -> Result<(), ModelError> {
        for prompt in prompts {
            let tokens = prompt.len();
            if !(2..=self.config.positions).contains(&tokens) {
                return Err(ModelError::Request(format!(
                    "a prompt of {tokens} {}s: the model takes 2 to {} (max_position_embeddings of its config.json)",
                    self.tokens.unit(),
                    self.config.positions
                )));
            }
            let beyond =
                |token: &&u32| usize::try_from(**token).expect("32 bits") >= self.config.vocabulary;
            if let Some(token) = prompt.iter().find(beyond) {
                return Err(ModelError::Request(format!(
                    "token {token} is beyond the vocabulary of {}: tokenizer.json is of another model than the weights",
                    self.config.vocabulary
                )));
            }
        }
        Ok(())
    }

    /// Does something for each prompt: side by side on a CPU, one after the other on a GPU, which a prompt fills.
    fn each<T: Send>(
        &self,
        count: usize,
        work: impl Fn(usize) -> Result<T, ModelError> + Sync + Send,
    ) -> Result<Vec<T>, ModelError> {
        match self.device {
            Device::Cpu => (0..count).into_par_iter().map(work).collect(),
            Device::Cuda(_) | Device::Metal(_) => (0..count).map(work).collect(),
        }
    }
}
