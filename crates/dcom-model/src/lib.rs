//! Llama-architecture models that run, whole or with the inputs of some layers decomposed, to see what that does to their answers.
//!
//! [`Model::open`] checks a checkpoint in the Hugging Face layout from its headers alone; a run reads the weights of one layer at a time and
//! takes all prompts through it, so memory holds one layer and the activations. All arithmetic is fp32, on candle. A
//! [`Treatment`] decomposes what linear layers read, prompt by prompt, by a [`Method`]: in float64, or by the
//! bit-exact executor of the machine. Upon that stand [`perplexity`], [`choose`] and [`record`].
//!
//! A basis per prompt is computed from all of its tokens: in a treated layer a token sees what comes after it. This is how the paper
//! evaluates; it flatters a decomposition a little, and it is a property of the method, not of this runner.

mod error;

mod checkpoint;
mod config;
mod tokens;

mod layer;
mod model;

mod approximate;
mod treatment;

mod choices;
mod perplexity;
mod record;
mod rewrite;

pub use approximate::{Method, OutlierChoice};
pub use choices::{Answer, Question, Score, choose, questions, score};
pub use config::Config;
pub use error::ModelError;
pub use layer::Value;
pub use model::{Model, Watch};
pub use perplexity::{Perplexity, Windows, perplexity};
pub use record::record;
pub use rewrite::LinearWeight;
pub use tokens::Tokens;
pub use treatment::Treatment;

pub use candle_core::Device;
