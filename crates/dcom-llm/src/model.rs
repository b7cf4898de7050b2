//! Model files: the shape of a Llama-architecture model.

use std::path::Path;

use dcom_config::{ConfigError, Source, schema};

schema! {
    /// A decoder-only transformer with RMSNorm, rotary embeddings, grouped-query attention and a SwiGLU feed-forward network,
    /// as read from a file under `configs/models`.
    pub struct Model("model", marks required) {
        /// Name of the model, for reports.
        "model.name" name: text;
        /// Decoder layers.
        "model.layers" layers: u32 in 1..=1000, unit "layers";
        /// Channels of the residual stream, H.
        "model.hidden" hidden: u32 in 1..=1_000_000, unit "channels";
        /// Heads of the queries.
        "attention.heads" heads: u32 in 1..=10_000, unit "heads";
        /// Heads of keys and values; fewer than `heads` is grouped-query attention.
        "attention.kv_heads" kv_heads: u32 in 1..=10_000, unit "heads";
        /// Channels of a head.
        "attention.head_channels" head_channels: u32 in 1..=10_000, unit "channels";
        /// Channels inside the feed-forward network, F.
        "model.feed_forward" feed_forward: u32 in 1..=1_000_000, unit "channels";
        /// Tokens of the vocabulary.
        "model.vocabulary" vocabulary: u32 in 1..=10_000_000, unit "tokens";
        /// Whether embedding and head are one matrix.
        "model.tied_head" tied_head: bool;
        /// Bytes of a weight or an activation.
        "model.element_bytes" element_bytes: u32 in 1..=8, unit "B";
    }
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// File, line, key, value and range of what is wrong; query heads that do not share the key heads evenly.
    pub fn read(path: &Path) -> Result<Model, ConfigError> {
        Model::parse(Source::read(path)?)?.checked()
    }

    /// # Errors
    /// Query heads that do not share the key heads evenly.
    pub fn checked(self) -> Result<Model, ConfigError> {
        if self.heads.is_multiple_of(self.kv_heads) {
            return Ok(self);
        }
        let message = format!(
            "{} query heads cannot share {} heads of keys evenly",
            self.heads, self.kv_heads
        );
        Err(self
            .document()
            .error_at("attention.kv_heads", message, None))
    }

    /// Channels of all queries.
    #[must_use]
    pub fn query_channels(&self) -> u64 {
        u64::from(self.heads) * u64::from(self.head_channels)
    }

    /// Channels of all keys, or of all values.
    #[must_use]
    pub fn kv_channels(&self) -> u64 {
        u64::from(self.kv_heads) * u64::from(self.head_channels)
    }

    /// The seven weight matrices of a decoder layer, in the order of use: rows (inputs) and columns (outputs).
    #[must_use]
    pub fn linears(&self) -> [(Linear, u64, u64); 7] {
        let (h, f) = (u64::from(self.hidden), u64::from(self.feed_forward));
        let (q, kv) = (self.query_channels(), self.kv_channels());
        [
            (Linear::Query, h, q),
            (Linear::Key, h, kv),
            (Linear::Value, h, kv),
            (Linear::Output, q, h),
            (Linear::Gate, h, f),
            (Linear::Up, h, f),
            (Linear::Down, f, h),
        ]
    }

    /// Weights of a decoder layer, its two norms included.
    #[must_use]
    pub fn layer_weights(&self) -> u64 {
        let linears = self.linears();
        let linears = linears.iter().map(|(_, rows, columns)| rows * columns);
        linears.sum::<u64>() + 2 * u64::from(self.hidden)
    }

    /// Weights outside the decoder layers: embedding, final norm, head.
    #[must_use]
    pub fn other_weights(&self) -> u64 {
        let table = u64::from(self.vocabulary) * u64::from(self.hidden);
        table * if self.tied_head { 1 } else { 2 } + u64::from(self.hidden)
    }

    /// Weights of the model.
    #[must_use]
    pub fn weights(&self) -> u64 {
        self.layer_weights() * u64::from(self.layers) + self.other_weights()
    }
}

/// A linear map of a decoder layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Linear {
    /// Queries.
    Query,
    /// Keys.
    Key,
    /// Values.
    Value,
    /// Output of the attention.
    Output,
    /// Gate of the feed-forward network.
    Gate,
    /// Up projection.
    Up,
    /// Down projection.
    Down,
}

impl Linear {
    /// Name in graphs, traces and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Linear::Query => "q",
            Linear::Key => "k",
            Linear::Value => "v",
            Linear::Output => "o",
            Linear::Gate => "gate",
            Linear::Up => "up",
            Linear::Down => "down",
        }
    }
}
