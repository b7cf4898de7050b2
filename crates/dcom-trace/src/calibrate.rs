//! Calibration of outlier rules over recorded prompts: the offline analysis of section 4 of the paper.
//!
//! The paper counts the elements of a channel beyond a threshold that is set per layer; it states neither the threshold
//! nor the count, only that 2.12 to 5.05 % of the channels are then outliers, 3.02 % on average (C11). So the method is
//! ours: the count is a share of the tokens, and the threshold is where the wanted share of channels is flagged.
//!
//! A channel with count m is flagged exactly when its m-th largest magnitude exceeds the threshold. These magnitudes, one
//! per prompt and channel, are the scores; prompts weigh the same. The threshold lies midway between the score of the last
//! channel to be flagged and the next one below it.

use dcom_tensor::Matrix;

use crate::calibration_file::{Calibration, LayerOutliers};
use crate::error::TraceError;
use crate::op::OpId;
use crate::outliers::{OutlierRule, magnitude};
use crate::trace::{PromptId, Trace};

/// What to calibrate for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrateOptions {
    /// Share of channels to flag, over all prompts.
    pub channel_share: f64,
    /// Minimum count as a share of the tokens of the shortest prompt, rounded up.
    pub token_share: f64,
}

impl Default for CalibrateOptions {
    /// 3.02 % of the channels (given: C11, the average), and 5 % of the tokens (assumed: of the counts tried, it flagged
    /// the most stable set of channels on recorded prompts).
    fn default() -> CalibrateOptions {
        CalibrateOptions {
            channel_share: 0.0302,
            token_share: 0.05,
        }
    }
}

/// One activation of one layer, calibrated.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibrated {
    /// The rule and what it is for.
    pub outliers: LayerOutliers,
    /// Channels.
    pub channels: usize,
    /// Share of channels that the rule flags in each prompt, in the order given.
    pub shares: Vec<f64>,
    /// The same with the rule calibrated on all other prompts; empty for a single prompt.
    pub held_out_shares: Vec<f64>,
    /// Channels flagged in every prompt over channels flagged in any; 1 if none is.
    pub agreement: f64,
}

/// The scores of one prompt.
struct Scores {
    /// m-th largest magnitude of each channel.
    channels: Vec<f64>,
}

/// Calibrates every recorded activation that a linear op reads, over the prompts of all traces with the same layer.
/// Activations are read one at a time, once.
///
/// # Errors
/// Traces of different models, no activation at all, or values that are not finite.
pub fn calibrate(
    traces: &[Trace],
    options: CalibrateOptions,
) -> Result<Vec<Calibrated>, TraceError> {
    let mut calibrated: Vec<Calibrated> = Vec::new();
    for (at, trace) in traces.iter().enumerate() {
        same_model(&traces[0], trace)?;
        for op in trace.decomposable() {
            let name = &trace.op(op).name;
            let known =
                |c: &Calibrated| c.outliers.layer == trace.layer && c.outliers.value == *name;
            if calibrated.iter().any(known) {
                continue;
            }
            let recorded = recorded(&traces[at..], trace, name)?;
            if !recorded.is_empty() {
                calibrated.push(calibrate_value(trace, name, &recorded, options)?);
            }
        }
    }
    if calibrated.is_empty() {
        let trace = traces.first().map(Trace::name).unwrap_or_default();
        return Err(TraceError::NoTensors {
            trace,
            needs: "thresholds follow from recorded values",
        });
    }
    Ok(calibrated)
}

/// What a calibration file holds.
impl From<&[Calibrated]> for Calibration {
    fn from(calibrated: &[Calibrated]) -> Calibration {
        Calibration {
            outliers: calibrated.iter().map(|c| c.outliers.clone()).collect(),
        }
    }
}

fn same_model(first: &Trace, other: &Trace) -> Result<(), TraceError> {
    if first.model == other.model {
        return Ok(());
    }
    Err(TraceError::Mismatch {
        first: first.name(),
        second: other.name(),
        problem: format!(
            "are of different models, {} and {}; calibrate each by itself",
            first.model.name, other.model.name
        ),
    })
}

/// Where an activation of one layer was recorded.
fn recorded<'t>(
    traces: &'t [Trace],
    like: &Trace,
    name: &str,
) -> Result<Vec<(&'t Trace, OpId, PromptId)>, TraceError> {
    let mut recorded = Vec::new();
    for trace in traces.iter().filter(|trace| trace.layer == like.layer) {
        let Some(op) = trace.find(name) else { continue };
        let channels = |trace: &Trace| {
            trace
                .find(name)
                .and_then(|op| trace.op(op).shape.channels())
        };
        if channels(trace) != channels(like) {
            return Err(TraceError::Mismatch {
                first: like.name(),
                second: trace.name(),
                problem: format!("give `{name}` different shapes"),
            });
        }
        let here = trace
            .prompt_ids()
            .filter(|prompt| trace.activation(op, *prompt).is_some());
        recorded.extend(here.map(|prompt| (trace, op, prompt)));
    }
    Ok(recorded)
}

fn calibrate_value(
    trace: &Trace,
    name: &str,
    recorded: &[(&Trace, OpId, PromptId)],
    options: CalibrateOptions,
) -> Result<Calibrated, TraceError> {
    let shortest = recorded
        .iter()
        .map(|(trace, _, prompt)| trace.prompt(*prompt).length)
        .min();
    let minimum_count = minimum_count(options.token_share, shortest.expect("at least one"));
    let mut prompts = Vec::new();
    for (trace, op, prompt) in recorded {
        let tensor = trace
            .activation(*op, *prompt)
            .expect("filtered for recorded ones");
        prompts.push(Scores::new(&trace.load(tensor)?, minimum_count));
    }
    let all: Vec<&Scores> = prompts.iter().collect();
    let threshold = threshold(&all, options.channel_share);
    let held_out = |without: usize| {
        let others: Vec<&Scores> = all
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != without)
            .map(|(_, s)| *s)
            .collect();
        prompts[without].share(self::threshold(&others, options.channel_share))
    };
    let flagged = |channel: usize| {
        prompts
            .iter()
            .filter(|p| p.channels[channel] > threshold)
            .count()
    };
    let channels = prompts[0].channels.len();
    let in_any = (0..channels).filter(|c| flagged(*c) > 0).count();
    let in_all = (0..channels)
        .filter(|c| flagged(*c) == prompts.len())
        .count();
    Ok(Calibrated {
        outliers: LayerOutliers {
            layer: trace.layer,
            value: name.to_owned(),
            rule: OutlierRule {
                threshold,
                minimum_count,
            },
        },
        channels,
        shares: prompts.iter().map(|p| p.share(threshold)).collect(),
        held_out_shares: if prompts.len() > 1 {
            (0..prompts.len()).map(held_out).collect()
        } else {
            Vec::new()
        },
        agreement: if in_any == 0 {
            1.0
        } else {
            ratio(in_all, in_any)
        },
    })
}

/// At least one, at most all of the tokens.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 1 and the tokens, a u32"
)]
fn minimum_count(token_share: f64, tokens: u32) -> u32 {
    (token_share * f64::from(tokens))
        .ceil()
        .clamp(1.0, f64::from(tokens)) as u32
}

/// The threshold that flags `share` of all scores, as nearly as their number and ties allow.
fn threshold(prompts: &[&Scores], share: f64) -> f64 {
    let mut scores: Vec<f64> = prompts
        .iter()
        .flat_map(|p| p.channels.iter().copied())
        .collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count"
    )]
    let wanted = (share * ratio(scores.len(), 1)).round() as usize;
    match wanted.min(scores.len()) {
        // Nothing exceeds the largest.
        0 => scores[0],
        all if all == scores.len() => scores[all - 1] / 2.0,
        some => f64::midpoint(scores[some - 1], scores[some]),
    }
}

impl Scores {
    fn new(activation: &Matrix, minimum_count: u32) -> Scores {
        let rank = usize::try_from(minimum_count).expect("32 bits") - 1;
        let by_channel = activation.transposed();
        let score = |channel: usize| {
            let mut magnitudes: Vec<f64> = by_channel
                .row(channel)
                .iter()
                .map(|bits| magnitude(*bits))
                .collect();
            let (_, score, _) = magnitudes.select_nth_unstable_by(rank, |a, b| b.total_cmp(a));
            *score
        };
        Scores {
            channels: (0..by_channel.rows()).map(score).collect(),
        }
    }

    fn share(&self, threshold: f64) -> f64 {
        let flagged = self
            .channels
            .iter()
            .filter(|score| **score > threshold)
            .count();
        ratio(flagged, self.channels.len())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of channels and prompts")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
