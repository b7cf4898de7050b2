//! A decomposition plan applied to a run: what linear ops of planned layers read is replaced, prompt by prompt.
//!
//! `flow.return_to_factors` of the plan says which values have factors of their own, as in the timing of a plan:
//! * `decompose`: all four that linear ops read (q, k and v read the same one, gate and up as well);
//! * `project`: the first, which q, k and v read; the others become U U^T X with its U;
//! * `dense`: the first only.

use std::sync::atomic::{AtomicU64, Ordering};

use candle_core::{Device, Tensor};
use dcom_llm::{LayerPlan, Plan, Return};
use dcom_reference::{Dense, truncated_svd};

use crate::approximate::{
    Method, OutlierChoice, Place, factors, outliers, product, projection, put_back, without,
};
use crate::error::ModelError;
use crate::layer::Value;
use crate::model::{Model, Visitor, Watch};

/// A plan, and how its decompositions are computed.
#[derive(Debug)]
pub struct Treatment<'a> {
    plan: &'a Plan,
    method: Method<'a>,
    outliers: OutlierChoice,
    /// Channels of the activations that were replaced so far, and the outliers among them.
    seen: [AtomicU64; 2],
}

impl<'a> Treatment<'a> {
    /// Which layers and how, what computes factors, which channels are outliers.
    #[must_use]
    pub fn new(plan: &'a Plan, method: Method<'a>, outliers: OutlierChoice) -> Treatment<'a> {
        Treatment {
            plan,
            method,
            outliers,
            seen: Default::default(),
        }
    }

    /// Outlier channels of all activations that were replaced so far (percent); none if there were no activations.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share of channels")]
    pub fn outlier_percent(&self) -> Option<f64> {
        let [channels, outliers] = self
            .seen
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed));
        (channels > 0).then(|| 100.0 * outliers as f64 / channels as f64)
    }

    /// Checks that the model has the layers of the plan.
    pub(crate) fn check(&self, model: &Model) -> Result<(), ModelError> {
        let layers = model.config().layers;
        let beyond = self
            .plan
            .decomposed()
            .map(|(layer, _)| layer)
            .find(|layer| index(*layer) >= layers);
        match beyond {
            None => Ok(()),
            Some(layer) => Err(ModelError::Request(format!(
                "the plan \"{}\" decomposes layer {layer}, the model has layers 0 to {}",
                self.plan.name,
                layers - 1
            ))),
        }
    }

    fn planned(&self, layer: usize) -> Option<(u32, &LayerPlan)> {
        let layer = u32::try_from(layer).expect("as many layers as a configuration allows");
        Some((layer, self.plan.layer(layer)?))
    }

    /// What linear ops read instead of `value`. `basis` is the U of the layer's first value, if there is one already.
    fn replace(
        &self,
        place: Place,
        plan: &LayerPlan,
        value: Tensor,
        basis: &mut Option<Vec<Vec<f64>>>,
    ) -> Result<Tensor, ModelError> {
        let flow = self.plan.flow.return_to_factors;
        if basis.is_some() && flow == Return::Dense {
            return Ok(value);
        }
        let x = dense(&value)?;
        let channels = outliers(&x, place, plan, &self.outliers)?;
        for (count, more) in self.seen.iter().zip([x.cols(), channels.len()]) {
            let more = u64::try_from(more).expect("usize is at most 64 bits");
            count.fetch_add(more, Ordering::Relaxed);
        }
        let core = without(&x, &channels);
        let mut replaced = match basis {
            Some(basis) if flow == Return::Project => projection(basis, &core),
            _ => {
                let found = factors(
                    &core,
                    place,
                    (index(plan.rank), Some(index(plan.iterations))),
                    &self.method,
                )?;
                let whole = product(&found, &core);
                *basis = Some(found.u);
                whole
            }
        };
        put_back(&mut replaced, &x, &channels, place, plan, &self.method)?;
        tensor(&replaced, (x.rows(), x.cols()), value.device())
    }
}

impl Visitor for Treatment<'_> {
    fn weight(&self, layer: usize, weight: Tensor) -> Result<Tensor, ModelError> {
        let Some(rank) = self.planned(layer).and_then(|(_, plan)| plan.weight_rank) else {
            return Ok(weight);
        };
        let w = dense(&weight)?;
        let found = truncated_svd(&w, index(rank))?;
        tensor(&product(&found, &w), (w.rows(), w.cols()), weight.device())
    }

    fn watch(&self, layer: usize, _prompt: usize) -> Watch<'_> {
        let Some((layer, plan)) = self.planned(layer) else {
            return Box::new(|_, value| Ok(value));
        };
        let mut basis = None;
        Box::new(move |name: Value, value| {
            self.replace(Place { layer, value: name }, plan, value, &mut basis)
        })
    }
}

fn index(value: u32) -> usize {
    usize::try_from(value).expect("32 bits")
}

fn dense(tensor: &Tensor) -> Result<Dense, ModelError> {
    let (rows, cols) = tensor.dims2()?;
    let values = tensor.flatten_all()?.to_vec1::<f32>()?;
    Ok(Dense::new(
        rows,
        cols,
        values.into_iter().map(f64::from).collect(),
    )?)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounded to the precision that the model computes in"
)]
fn tensor(values: &[f64], shape: (usize, usize), device: &Device) -> Result<Tensor, ModelError> {
    let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    Ok(Tensor::from_vec(values, shape, device)?)
}
