//! One decoder layer of a Llama (Touvron et al., arXiv 2307.09288): RMS norm, attention with rotary embedding (two halves of
//! a head's channels, as in Hugging Face checkpoints), RMS norm, gated feed-forward part. All in fp32.

use candle_core::{D, Device, Tensor};
use candle_nn::ops::{rms_norm, silu, softmax_last_dim};
use candle_nn::rotary_emb::rope;

use crate::checkpoint::{Checkpoint, in_layer};
use crate::config::Config;
use crate::error::ModelError;

/// A value that linear layers read: what a plan can decompose. Tokens x channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Read by q, k and v.
    InputNorm,
    /// Read by o.
    Attention,
    /// Read by gate and up.
    FfnNorm,
    /// Read by down.
    Act,
}

impl Value {
    /// In the order in which a layer computes them.
    pub const ALL: [Value; 4] = [
        Value::InputNorm,
        Value::Attention,
        Value::FfnNorm,
        Value::Act,
    ];

    /// The name of the op that makes it, in traces and calibration files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Value::InputNorm => "input_norm",
            Value::Attention => "attention",
            Value::FfnNorm => "ffn_norm",
            Value::Act => "act",
        }
    }
}

/// What attention needs to know about places: rotations of each position, and which pairs of tokens see each other.
#[derive(Clone, Debug)]
pub(crate) struct Positions {
    cos: Tensor,
    sin: Tensor,
    /// 0 where a token (row) sees another (column), minus infinity where that comes later.
    mask: Tensor,
}

impl Positions {
    /// For prompts of up to so many tokens.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "positions and channels are small; angles are rounded to fp32 once"
    )]
    pub(crate) fn new(
        config: &Config,
        tokens: usize,
        device: &Device,
    ) -> Result<Positions, ModelError> {
        let half = config.head_size / 2;
        let angle = |position: usize, pair: usize| {
            position as f64
                * config
                    .rope_theta
                    .powf(-2.0 * pair as f64 / config.head_size as f64)
        };
        let table = |of: fn(f64) -> f64| -> Vec<f32> {
            (0..tokens * half)
                .map(|i| of(angle(i / half, i % half)) as f32)
                .collect()
        };
        let seen = (0..tokens * tokens).map(|i| {
            if i % tokens > i / tokens {
                f32::NEG_INFINITY
            } else {
                0.0
            }
        });
        Ok(Positions {
            cos: Tensor::from_vec(table(f64::cos), (tokens, half), device)?,
            sin: Tensor::from_vec(table(f64::sin), (tokens, half), device)?,
            mask: Tensor::from_vec(seen.collect::<Vec<f32>>(), (tokens, tokens), device)?,
        })
    }
}

/// The weights of a layer; those of linear ops are output x input channels.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    input_norm: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    o: Tensor,
    ffn_norm: Tensor,
    gate: Tensor,
    up: Tensor,
    down: Tensor,
}

/// Names of the linear ops of a layer in a checkpoint, beside those in traces.
pub(crate) const LINEAR: [(&str, &str); 7] = [
    ("self_attn.q_proj", "q"),
    ("self_attn.k_proj", "k"),
    ("self_attn.v_proj", "v"),
    ("self_attn.o_proj", "o"),
    ("mlp.gate_proj", "gate"),
    ("mlp.up_proj", "up"),
    ("mlp.down_proj", "down"),
];

impl Layer {
    /// Reads the weights; `weight` may replace those of linear ops.
    pub(crate) fn load(
        checkpoint: &Checkpoint,
        index: usize,
        device: &Device,
        weight: impl Fn(Tensor) -> Result<Tensor, ModelError>,
    ) -> Result<Layer, ModelError> {
        let load = |part: &str| checkpoint.load(&in_layer(index, part), device);
        let linear = |part: &str| weight(load(part)?);
        Ok(Layer {
            input_norm: load("input_layernorm")?,
            q: linear("self_attn.q_proj")?,
            k: linear("self_attn.k_proj")?,
            v: linear("self_attn.v_proj")?,
            o: linear("self_attn.o_proj")?,
            ffn_norm: load("post_attention_layernorm")?,
            gate: linear("mlp.gate_proj")?,
            up: linear("mlp.up_proj")?,
            down: linear("mlp.down_proj")?,
        })
    }

    /// Takes one prompt through the layer. `watch` sees every value that linear ops read and says what they read instead.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        config: &Config,
        positions: &Positions,
        mut watch: impl FnMut(Value, Tensor) -> Result<Tensor, ModelError>,
    ) -> Result<Tensor, ModelError> {
        #[expect(clippy::cast_possible_truncation, reason = "an epsilon in fp32")]
        let epsilon = config.epsilon as f32;
        let linear = |x: &Tensor, weight: &Tensor| x.matmul(&weight.t()?);

        let normed = watch(Value::InputNorm, rms_norm(x, &self.input_norm, epsilon)?)?;
        let [q, k, v] = [&self.q, &self.k, &self.v].map(|weight| linear(&normed, weight));
        let mixed = attention(&q?, &k?, &v?, config, positions)?;
        let mixed = watch(Value::Attention, mixed)?;
        let x = (x + linear(&mixed, &self.o)?)?;

        let normed = watch(Value::FfnNorm, rms_norm(&x, &self.ffn_norm, epsilon)?)?;
        let gate = silu(&linear(&normed, &self.gate)?)?;
        let act = watch(Value::Act, (gate * linear(&normed, &self.up)?)?)?;
        Ok((x + linear(&act, &self.down)?)?)
    }
}

/// softmax(Q K^T / sqrt(head size)) V, heads side by side.
fn attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    config: &Config,
    positions: &Positions,
) -> Result<Tensor, ModelError> {
    let tokens = q.dim(0)?;
    let size = config.head_size;
    let heads = |x: &Tensor, count: usize| {
        x.reshape((1, tokens, count, size))?
            .transpose(1, 2)?
            .contiguous()
    };
    let rotated = |x: &Tensor| rope(x, &positions.cos, &positions.sin);
    // With grouped queries, neighbouring heads share keys and values.
    let group = config.heads / config.kv_heads;
    let spread = |x: Tensor| {
        x.unsqueeze(2)?
            .expand((1, config.kv_heads, group, tokens, size))?
            .reshape((1, config.heads, tokens, size))
    };
    let q = rotated(&heads(q, config.heads)?)?;
    let k = spread(rotated(&heads(k, config.kv_heads)?)?)?;
    let v = spread(heads(v, config.kv_heads)?)?;
    #[expect(clippy::cast_precision_loss, reason = "a head has few channels")]
    let scale = 1.0 / (size as f64).sqrt();
    let scores = (q.matmul(&k.transpose(2, 3)?.contiguous()?)? * scale)?;
    let mask = positions.mask.narrow(0, 0, tokens)?.narrow(1, 0, tokens)?;
    let shares = softmax_last_dim(&scores.broadcast_add(&mask)?)?;
    let mixed = shares.matmul(&v)?.transpose(1, 2)?;
    Ok(mixed.reshape((tokens, config.heads * size))?)
}

/// log P of each token but the first, given those before it; natural logarithm.
pub(crate) fn log_likelihoods(
    x: &Tensor,
    norm: &Tensor,
    head: &Tensor,
    config: &Config,
    prompt: &[u32],
) -> Result<Vec<f32>, ModelError> {
    let logits = logits(x, norm, head, config)?;
    let predicting = logits.narrow(0, 0, prompt.len() - 1)?;
    let likelihoods = candle_nn::ops::log_softmax(&predicting, D::Minus1)?;
    let targets = Tensor::new(&prompt[1..], x.device())?.unsqueeze(1)?;
    Ok(likelihoods.gather(&targets, 1)?.squeeze(1)?.to_vec1()?)
}

/// The head's output: tokens x vocabulary.
pub(crate) fn logits(
    x: &Tensor,
    norm: &Tensor,
    head: &Tensor,
    config: &Config,
) -> Result<Tensor, ModelError> {
    #[expect(clippy::cast_possible_truncation, reason = "an epsilon in fp32")]
    let normed = rms_norm(x, norm, config.epsilon as f32)?;
    Ok(normed.matmul(&head.t()?)?)
}
