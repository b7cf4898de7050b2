//! Memory of activations and weights, tensor by tensor.

use crate::model::Model;
use crate::plan::{LayerPlan, Plan};
use crate::real;

/// A tensor with and without its decomposition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorBytes {
    /// Name.
    pub name: &'static str,
    /// Bytes in the original shape.
    pub original: u64,
    /// Bytes as planned.
    pub planned: u64,
}

/// The activations of one prompt in a decoder layer that memory is counted for: what the seven linear maps read and write, and the
/// scores. Which tensors the paper counts is **fitted** to Table 2's all-layers row: these ten, and not the softmax's
/// output beside its input.
///
/// The scores stay dense in a decomposed layer. Every other tensor of C channels is `r (S + C)` for the factors, the core being
/// folded into one of them, and S for every outlier channel.
#[must_use]
pub fn activations(model: &Model, tokens: u64, plan: Option<&LayerPlan>) -> Vec<TensorBytes> {
    let element = u64::from(model.element_bytes);
    let (hidden, inner) = (u64::from(model.hidden), u64::from(model.feed_forward));
    let (q, kv) = (model.query_channels(), model.kv_channels());
    let tensor = |name, channels: u64| {
        let original = tokens * channels * element;
        let planned = plan.map_or(original, |plan| {
            let factors = u64::from(plan.rank) * (tokens + channels);
            let outliers = plan.outlier_factors(channels);
            let more = match outliers < plan.outlier_channels(channels) {
                true => outliers * (tokens + plan.outlier_channels(channels)),
                false => outliers * tokens,
            };
            (factors + more) * element
        });
        TensorBytes {
            name,
            original,
            planned,
        }
    };
    let scores = u64::from(model.heads) * tokens * tokens * element;
    vec![
        tensor("input", hidden),
        tensor("q", q),
        tensor("k", kv),
        tensor("v", kv),
        TensorBytes {
            name: "scores",
            original: scores,
            planned: scores,
        },
        tensor("attention", q),
        tensor("o", hidden),
        tensor("gate", inner),
        tensor("up", inner),
        tensor("down", hidden),
    ]
}

/// Activations of a prompt over all layers, original and planned (B).
#[must_use]
pub fn model_activations(model: &Model, tokens: u64, plan: &Plan) -> (u64, u64) {
    let layers = (0..model.layers).flat_map(|layer| activations(model, tokens, plan.layer(layer)));
    layers.fold((0, 0), |(original, planned), tensor| {
        (original + tensor.original, planned + tensor.planned)
    })
}

/// Weights of the model, original and planned (B): a decomposed weight is its factors `p (rows + columns) + p^2`.
#[must_use]
pub fn weights(model: &Model, plan: &Plan) -> (u64, u64) {
    let element = u64::from(model.element_bytes);
    let original = model.weights() * element;
    let mut saved = 0;
    for (_, layer) in plan.decomposed().filter(|(index, _)| *index < model.layers) {
        let Some(p) = layer.weight_rank.map(u64::from) else {
            continue;
        };
        for (_, rows, columns) in model.linears() {
            // Factors larger than the weight are no saving, and would not be stored.
            saved += (rows * columns).saturating_sub(p * (rows + columns) + p * p) * element;
        }
    }
    (original, original - saved)
}

/// `1 - planned / original`.
pub(crate) fn reduction((original, planned): (u64, u64)) -> f64 {
    1.0 - real(planned) / real(original)
}
