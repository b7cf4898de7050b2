//! One activation on low-rank factors: outlier channels apart, the rest by one of three methods.
//!
//! Let X be tokens x channels and O its outlier channels. What linear ops read instead of X is the rank-r approximation of X with O set to zero,
//! plus O exactly, or plus the approximation of O by itself.

use dcom_llm::{LayerPlan, Outliers};
use dcom_reference::{Dense, Truncated, truncated_lanczos, truncated_svd};
use dcom_tensor::Matrix;
use dcom_trace::{Calibration, Decomposer, OutlierRule, Sizes};
use half::f16;

use crate::error::ModelError;
use crate::layer::Value;

/// What computes the factors.
#[derive(Clone, Debug)]
pub enum Method<'a> {
    /// The best factors of the rank, in float64.
    Svd,
    /// As many Lanczos iterations as the plan says, in float64 with full re-orthogonalization.
    Lanczos,
    /// The machine's own program, bit by bit, on the activation rounded to fp16.
    Machine(Decomposer<'a>),
}

/// Which channels are outliers.
#[derive(Clone, Debug, Default)]
pub enum OutlierChoice {
    /// The plan's `outlier_percent` of the channels: those whose m-th largest magnitude is largest, m being 5 % of the tokens (the count
    /// that calibration uses).
    #[default]
    Percent,
    /// The channels that the rules of a calibration file flag; none where it has no rule. Prompts have different numbers of them.
    Rules(Calibration),
}

/// Share of the tokens at which a channel's magnitudes are compared; the default of [`dcom_trace::CalibrateOptions`].
fn token_share() -> f64 {
    dcom_trace::CalibrateOptions::default().token_share
}

/// Where an activation is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) layer: u32,
    pub(crate) value: Value,
}

/// Outlier channels of an activation, ascending.
pub(crate) fn outliers(
    x: &Dense,
    place: Place,
    plan: &LayerPlan,
    choice: &OutlierChoice,
) -> Result<Vec<usize>, ModelError> {
    match choice {
        OutlierChoice::Percent => {
            let wanted = plan.outlier_channels(x.cols() as u64);
            Ok(largest_channels(
                x,
                usize::try_from(wanted).expect("at most the channels"),
            ))
        }
        OutlierChoice::Rules(rules) => {
            let rule: Option<OutlierRule> = rules.rule(place.layer, place.value.name());
            rule.map_or(Ok(Vec::new()), |rule| Ok(rule.channels(&halves(x, place)?)))
        }
    }
}

/// The channels with the largest m-th largest magnitudes; of equals the first.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a count of tokens"
)]
fn largest_channels(x: &Dense, wanted: usize) -> Vec<usize> {
    if wanted == 0 {
        return Vec::new();
    }
    let at = (token_share() * x.rows() as f64).ceil() as usize;
    let score = |channel: usize| {
        let mut magnitudes: Vec<f64> = (0..x.rows()).map(|row| x.row(row)[channel].abs()).collect();
        let (_, score, _) = magnitudes.select_nth_unstable_by(at - 1, |a, b| b.total_cmp(a));
        *score
    };
    let scores: Vec<f64> = (0..x.cols()).map(score).collect();
    let mut channels: Vec<usize> = (0..x.cols()).collect();
    channels.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    channels.truncate(wanted);
    channels.sort_unstable();
    channels
}

/// The columns `channels` of X set to zero.
pub(crate) fn without(x: &Dense, channels: &[usize]) -> Dense {
    let mut data = x.data().to_vec();
    for row in data.chunks_exact_mut(x.cols()) {
        for channel in channels {
            row[*channel] = 0.0;
        }
    }
    Dense::new(x.rows(), x.cols(), data).expect("the shape of a matrix")
}

/// Writes the outlier channels of X, or what their own factors make of them, into an approximation of the rest.
pub(crate) fn put_back(
    rest: &mut [f64],
    x: &Dense,
    channels: &[usize],
    place: Place,
    plan: &LayerPlan,
    method: &Method<'_>,
) -> Result<(), ModelError> {
    if channels.is_empty() {
        return Ok(());
    }
    let columns =
        (0..x.rows()).flat_map(|row| channels.iter().map(move |channel| x.row(row)[*channel]));
    let columns = Dense::new(x.rows(), channels.len(), columns.collect())?;
    let kept = match plan.outliers {
        Outliers::Exact => columns.data().to_vec(),
        Outliers::Decomposed => {
            let rank = usize::try_from(plan.outlier_rank).expect("32 bits");
            product(&factors(&columns, place, (rank, None), method)?, &columns)
        }
    };
    for (row, values) in rest
        .chunks_exact_mut(x.cols())
        .zip(kept.chunks_exact(channels.len()))
    {
        for (channel, value) in channels.iter().zip(values) {
            row[*channel] = *value;
        }
    }
    Ok(())
}

/// Factors of a matrix, at most of a rank and by so many iterations (or a few more than the rank); the sides of the matrix bound both.
pub(crate) fn factors(
    x: &Dense,
    place: Place,
    (rank, iterations): (usize, Option<usize>),
    method: &Method<'_>,
) -> Result<Truncated, ModelError> {
    let sizes = Sizes::new(rank, iterations, x.rows().min(x.cols()));
    match method {
        Method::Svd => Ok(truncated_svd(x, sizes.rank)?),
        Method::Lanczos => Ok(truncated_lanczos(x, sizes.rank, sizes.iterations)?),
        Method::Machine(decomposer) => {
            let found = decomposer.decompose(&halves(x, place)?, sizes)?;
            if !found.finite() {
                return Err(ModelError::NotFinite {
                    layer: place.layer,
                    value: place.value.name(),
                });
            }
            let wide = |columns: Vec<Vec<f32>>| {
                columns
                    .into_iter()
                    .map(|column| column.into_iter().map(f64::from).collect())
            };
            Ok(Truncated {
                u: wide(found.u).collect(),
                s: found.singular_values,
                v: wide(found.v).collect(),
            })
        }
    }
}

/// U diag(s) V^T, row-major, of the shape of `like`.
pub(crate) fn product(factors: &Truncated, like: &Dense) -> Vec<f64> {
    let mut out = vec![0.0; like.rows() * like.cols()];
    for ((u, s), v) in factors.u.iter().zip(&factors.s).zip(&factors.v) {
        for (row, u) in out.chunks_exact_mut(like.cols()).zip(u) {
            let weight = u * s;
            for (out, v) in row.iter_mut().zip(v) {
                *out += weight * v;
            }
        }
    }
    out
}

/// U U^T X for a basis U: the least-squares fit of X in its span when the columns are orthonormal.
pub(crate) fn projection(basis: &[Vec<f64>], x: &Dense) -> Vec<f64> {
    let coefficients = |u: &Vec<f64>| {
        let mut sums = vec![0.0; x.cols()];
        for (row, weight) in x.data().chunks_exact(x.cols()).zip(u) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += weight * value;
            }
        }
        sums
    };
    let fit = Truncated {
        u: basis.to_vec(),
        s: vec![1.0; basis.len()],
        v: basis.iter().map(coefficients).collect(),
    };
    product(&fit, x)
}

/// The activation as the machine reads it.
fn halves(x: &Dense, place: Place) -> Result<Matrix, ModelError> {
    let bits: Vec<u16> = x
        .data()
        .iter()
        .map(|value| f16::from_f64(*value).to_bits())
        .collect();
    let count = bits
        .iter()
        .filter(|bits| !f16::from_bits(**bits).is_finite())
        .count();
    if count > 0 {
        return Err(ModelError::Overflow {
            layer: place.layer,
            value: place.value.name(),
            count,
        });
    }
    Ok(Matrix::new(x.rows(), x.cols(), bits).expect("the shape of a matrix"))
}
