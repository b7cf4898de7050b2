//! Perplexity of a text: exp of the mean of -log P(token | those before it in its window).

use crate::error::ModelError;
use crate::model::{Model, Untouched};
use crate::treatment::Treatment;

/// Which parts of a text are read: `count` windows of `length` tokens, one behind the other from `offset` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Tokens of a window; its first one is given, the others are predicted.
    pub length: usize,
    /// Tokens before the first window.
    pub offset: usize,
    /// How many windows; as many as the text has if none.
    pub count: Option<usize>,
}

/// How well a text was predicted.
#[derive(Clone, Debug, PartialEq)]
pub struct Perplexity {
    /// Mean of -log P in each window, natural logarithm.
    pub window_nats: Vec<f64>,
    /// -log P of all predicted tokens of all windows, in order.
    pub token_nats: Vec<f64>,
}

impl Perplexity {
    /// Mean of -log P over all predicted tokens.
    #[must_use]
    pub fn nats(&self) -> f64 {
        mean(&self.token_nats)
    }

    /// exp of [`Perplexity::nats`].
    #[must_use]
    pub fn value(&self) -> f64 {
        self.nats().exp()
    }
}

impl Windows {
    /// Cuts tokens into windows.
    ///
    /// # Errors
    /// The text is too short.
    pub fn cut(&self, tokens: &[u32]) -> Result<Vec<Vec<u32>>, ModelError> {
        if self.length < 2 {
            return Err(ModelError::Request(format!(
                "a window of {}: needs two tokens, one to predict the other from",
                self.length
            )));
        }
        let whole = tokens.get(self.offset..).unwrap_or_default().len() / self.length;
        let count = self.count.unwrap_or(whole);
        if count == 0 || count > whole {
            return Err(ModelError::Request(format!(
                "{} windows of {} tokens from token {} on: the text has {} tokens, enough for {whole} windows",
                count.max(1),
                self.length,
                self.offset,
                tokens.len()
            )));
        }
        let windows = tokens[self.offset..].chunks_exact(self.length).take(count);
        Ok(windows.map(<[u32]>::to_vec).collect())
    }
}

/// Runs the model over windows of tokens, treated or as it is.
///
/// # Errors
/// A window does not suit the model, a weight cannot be read, or a decomposition fails.
pub fn perplexity(
    model: &Model,
    windows: &[Vec<u32>],
    treatment: Option<&Treatment<'_>>,
) -> Result<Perplexity, ModelError> {
    let likelihoods = likelihoods(model, windows, treatment)?;
    let nats = |window: &Vec<f32>| window.iter().map(|x| -f64::from(*x)).collect::<Vec<f64>>();
    let nats: Vec<Vec<f64>> = likelihoods.iter().map(nats).collect();
    Ok(Perplexity {
        window_nats: nats.iter().map(|window| mean(window)).collect(),
        token_nats: nats.concat(),
    })
}

/// log P of each token but the first of each prompt.
pub(crate) fn likelihoods(
    model: &Model,
    prompts: &[Vec<u32>],
    treatment: Option<&Treatment<'_>>,
) -> Result<Vec<Vec<f32>>, ModelError> {
    match treatment {
        None => model.log_likelihoods(prompts, &Untouched),
        Some(treatment) => {
            treatment.check(model)?;
            model.log_likelihoods(prompts, treatment)
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of tokens")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
