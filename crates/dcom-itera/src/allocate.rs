//! Ranks for several layers under one storage budget, where they lower the loss most.

use crate::error::IteraError;

/// What ranks do to a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerCurve {
    /// Relative error with 0, 1, 2, ... terms, of the weight or of the layer's output.
    pub errors: Vec<f64>,
    /// Loss of the model when the squared relative error is 1: measured, or 1 where layers count alike.
    pub sensitivity: f64,
    /// Storage of a term \[bit\].
    pub bits_per_rank: u64,
}

impl LayerCurve {
    /// The loss at a rank.
    ///
    /// # Panics
    /// The curve ends before that rank.
    #[must_use]
    pub fn loss(&self, rank: usize) -> f64 {
        self.sensitivity * self.errors[rank].powi(2)
    }

    /// The later rank with the steepest descent of loss per bit that `bits` can pay for.
    fn steepest(&self, rank: usize, bits: u64) -> Option<Step> {
        let affordable = usize::try_from(bits / self.bits_per_rank).unwrap_or(usize::MAX);
        let last = (self.errors.len() - 1).min(rank.saturating_add(affordable));
        (rank + 1..=last)
            .map(|to| {
                let terms = u64::try_from(to - rank).expect("usize is at most 64 bits");
                let bits = terms * self.bits_per_rank;
                Step {
                    to,
                    bits,
                    slope: (self.loss(rank) - self.loss(to)) / crate::machine::real(bits),
                }
            })
            .filter(|step| step.slope > 0.0)
            .max_by(|a, b| a.slope.total_cmp(&b.slope).then(b.to.cmp(&a.to)))
    }
}

struct Step {
    to: usize,
    bits: u64,
    slope: f64,
}

/// The rank of each layer: the steepest affordable step is taken until none is left. Along the lower convex hulls of the curves that is
/// optimal, but for what remains of the budget at the end (Shoham and Gersho, IEEE Trans. ASSP 36 (1988) 1445). Of equal steps
/// the first layer's is taken.
///
/// # Errors
/// A layer without errors, or with a term that needs no storage.
pub fn allocate(layers: &[LayerCurve], budget_bits: u64) -> Result<Vec<usize>, IteraError> {
    for layer in layers {
        for (what, found) in [
            ("the number of errors of a layer", layer.errors.len() as u64),
            ("the bits of a term", layer.bits_per_rank),
        ] {
            if found == 0 {
                return Err(IteraError::Range {
                    what,
                    min: 1,
                    max: usize::MAX,
                    found: 0,
                });
            }
        }
    }
    let mut ranks = vec![0; layers.len()];
    let mut left = budget_bits;
    loop {
        let mut best: Option<(usize, Step)> = None;
        for (index, layer) in layers.iter().enumerate() {
            if let Some(step) = layer.steepest(ranks[index], left)
                && best
                    .as_ref()
                    .is_none_or(|(_, best)| step.slope > best.slope)
            {
                best = Some((index, step));
            }
        }
        let Some((index, step)) = best else {
            return Ok(ranks);
        };
        ranks[index] = step.to;
        left -= step.bits;
    }
}
