//! `config.json` of a checkpoint, as `LlamaForCausalLM` of Hugging Face transformers writes it.

use std::path::Path;

use serde::Deserialize;

use crate::error::ModelError;

/// The sizes and constants of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Channels of the residual stream, H.
    pub hidden: usize,
    /// Decoder layers.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Channels of a head.
    pub head_size: usize,
    /// Channels between the linear layers of the feed-forward part.
    pub ffn: usize,
    /// Tokens in the vocabulary.
    pub vocabulary: usize,
    /// Most tokens of a prompt.
    pub positions: usize,
    /// Base of the rotary embedding.
    pub rope_theta: f64,
    /// Epsilon of the RMS norms.
    pub epsilon: f64,
    /// Whether the head is the embedding.
    pub tied: bool,
}

/// What is read; other keys do not change the arithmetic of a Llama.
#[derive(Deserialize)]
struct File {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    rope_theta: Option<f64>,
    rope_scaling: Option<Rope>,
    rope_parameters: Option<Rope>,
    rms_norm_eps: f64,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    hidden_act: Option<String>,
}

#[derive(Deserialize)]
struct Rope {
    #[serde(alias = "type")]
    rope_type: Option<String>,
    rope_theta: Option<f64>,
}

/// Base of the rotary embedding where the file says none: the default of transformers.
const ROPE_THETA: f64 = 10_000.0;

/// Largest size that is believed. Assumed: ten times that of the largest models.
const LARGEST: usize = 1 << 22;

/// Beyond this a configuration file is something else.
const FILE_BYTES: u64 = 1 << 20;

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// The file is no configuration, its model is no Llama, or its sizes contradict each other.
    pub fn read(path: &Path) -> Result<Config, ModelError> {
        Config::parse(path, &read_text(path, FILE_BYTES)?)
    }

    fn parse(path: &Path, text: &str) -> Result<Config, ModelError> {
        let fail = |problem: String| ModelError::File {
            path: path.to_owned(),
            problem,
        };
        // What the model is comes first: another architecture lacks some keys, and that is not what is wrong with it.
        let named: Named = serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
        named.is_llama().map_err(&fail)?;
        let file: File = serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
        file.config().map_err(fail)
    }
}

#[derive(Deserialize)]
struct Named {
    model_type: Option<String>,
    architectures: Option<Vec<String>>,
}

impl Named {
    fn is_llama(&self) -> Result<(), String> {
        let llama = match (&self.model_type, &self.architectures) {
            (Some(kind), _) => kind == "llama",
            (None, Some(names)) => names.iter().any(|name| name == "LlamaForCausalLM"),
            (None, None) => false,
        };
        if llama {
            return Ok(());
        }
        let found = match (&self.model_type, &self.architectures) {
            (Some(kind), _) => format!("model_type is \"{kind}\""),
            (None, Some(names)) => format!("architectures is {names:?}"),
            (None, None) => "there is neither model_type nor architectures".to_owned(),
        };
        Err(format!(
            "is not the configuration of a Llama: {found}, must be \"llama\" (LlamaForCausalLM)"
        ))
    }
}

impl File {
    fn config(&self) -> Result<Config, String> {
        for (key, value) in [
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("num_key_value_heads", self.num_key_value_heads.unwrap_or(1)),
            ("head_dim", self.head_dim.unwrap_or(2)),
        ] {
            if !(1..=LARGEST).contains(&value) {
                return Err(format!("{key} = {value}: must be in 1..={LARGEST}"));
            }
        }
        let heads = self.num_attention_heads;
        let kv_heads = self.num_key_value_heads.unwrap_or(heads);
        if !heads.is_multiple_of(kv_heads) {
            return Err(format!(
                "num_key_value_heads = {kv_heads}: must divide num_attention_heads, {heads}"
            ));
        }
        if self.head_dim.is_none() && !self.hidden_size.is_multiple_of(heads) {
            return Err(format!(
                "num_attention_heads = {heads}: must divide hidden_size, {}, unless head_dim is given",
                self.hidden_size
            ));
        }
        let head_size = self.head_dim.unwrap_or(self.hidden_size / heads);
        if !head_size.is_multiple_of(2) {
            return Err(format!(
                "head size {head_size}: must be even, channels are rotated in pairs"
            ));
        }
        if !(self.rms_norm_eps > 0.0 && self.rms_norm_eps < 1.0) {
            return Err(format!(
                "rms_norm_eps = {}: must be between 0 and 1",
                self.rms_norm_eps
            ));
        }
        self.only_what_is_computed()?;
        let rope = self.rope_parameters.as_ref().or(self.rope_scaling.as_ref());
        let rope_theta = self
            .rope_theta
            .or(rope.and_then(|rope| rope.rope_theta))
            .unwrap_or(ROPE_THETA);
        if !(rope_theta.is_finite() && rope_theta > 1.0) {
            return Err(format!("rope_theta = {rope_theta}: must be above 1"));
        }
        Ok(Config {
            hidden: self.hidden_size,
            layers: self.num_hidden_layers,
            heads,
            kv_heads,
            head_size,
            ffn: self.intermediate_size,
            vocabulary: self.vocab_size,
            positions: self.max_position_embeddings,
            rope_theta,
            epsilon: self.rms_norm_eps,
            tied: self.tie_word_embeddings,
        })
    }

    /// Refuses variants of the architecture that would silently compute something else.
    fn only_what_is_computed(&self) -> Result<(), String> {
        if self.attention_bias || self.mlp_bias {
            return Err("attention_bias and mlp_bias must be false: linear layers with a bias are not supported".to_owned());
        }
        if let Some(act) = self.hidden_act.as_ref().filter(|act| *act != "silu") {
            return Err(format!("hidden_act = \"{act}\": must be \"silu\""));
        }
        let ropes = [
            ("rope_scaling", &self.rope_scaling),
            ("rope_parameters", &self.rope_parameters),
        ];
        for (key, rope) in ropes {
            let kind = rope.as_ref().and_then(|rope| rope.rope_type.as_ref());
            if let Some(kind) = kind.filter(|kind| *kind != "default") {
                return Err(format!(
                    "{key}: rope_type \"{kind}\" is not supported, only the unscaled rotary embedding (Llama 1, Llama 2, Llama 3)"
                ));
            }
        }
        Ok(())
    }
}

/// Reads a text file of limited size.
pub(crate) fn read_text(path: &Path, limit_bytes: u64) -> Result<String, ModelError> {
    let fail = |problem: String| ModelError::File {
        path: path.to_owned(),
        problem,
    };
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => fail("there is no such file".to_owned()),
        _ => fail(format!("cannot be read: {error}")),
    };
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > limit_bytes {
        return Err(fail(format!(
            "has {bytes} bytes, at most {limit_bytes} are read"
        )));
    }
    let text = std::fs::read(path).map_err(failed)?;
    String::from_utf8(text).map_err(|error| {
        fail(format!(
            "is not UTF-8 from byte {} on",
            error.utf8_error().valid_up_to()
        ))
    })
}
