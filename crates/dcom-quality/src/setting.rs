//! What is asked at one point: a plan with the same choices in all of its layers, and what is read.

use dcom_config::{ConfigError, Source, schema};
use dcom_llm::{Flow, LayerPlan, Outliers, Plan, Return};
use dcom_model::{OutlierChoice, Value};
use dcom_trace::{Calibration, LayerOutliers, OutlierRule};

/// What computes factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The best factors of the rank, in float64.
    Svd,
    /// Lanczos iterations in float64.
    Lanczos,
    /// The program of the scenario's machine, bit by bit.
    Machine,
}

/// How outlier channels are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutliersBy {
    /// A share of the channels, those of the largest magnitudes.
    Percent,
    /// Channels with enough elements above a threshold, as D-com counts them.
    Threshold,
}

schema! {
    /// Keys of a point of a study, beside those of its scenario.
    pub struct Setting("study", marks optional) {
        /// Tokens of a window of the text.
        "text.window" window: u32 in 2..=1_048_576, unit "tokens", default 256;
        /// Tokens before the first window.
        "text.offset" offset: u32 in 0..=4_000_000_000, unit "tokens", default 0;
        /// Windows, one behind the other; 0 for as many as the text has.
        "text.windows" windows: u32 in 0..=1_000_000, unit "windows", default 0;
        /// Questions from the beginning of the file; 0 for all.
        "questions.limit" limit: u32 in 0..=1_000_000_000, unit "questions", default 0;
        /// Layers on factors: `none`, `all`, or their numbers from 0 with spaces between.
        "plan.layers" layers: text, default "none";
        /// Rank of the factors of the activations.
        "plan.rank" rank: u32 in 1..=512, default 10;
        /// Lanczos iterations beyond the rank.
        "plan.more_iterations" more_iterations: u32 in 0..=512, unit "iterations", default 0;
        /// Rank of the factors of the weights; 0 leaves them whole.
        "plan.weight_rank" weight_rank: u32 in 0..=65_536, default 0;
        /// How activations return to factors behind a nonlinear function.
        "plan.return_to_factors" return_to_factors: choice<Return> { Project: "project", Decompose: "decompose", Dense: "dense" }, default "project";
        /// What computes the factors.
        "plan.by" by: choice<By> { Svd: "svd", Lanczos: "lanczos", Machine: "machine" }, default "lanczos";
        /// How outlier channels are found.
        "outliers.by" outliers_by: choice<OutliersBy> { Percent: "percent", Threshold: "threshold" }, default "percent";
        /// Outlier channels of an activation, by percent.
        "outliers.percent" percent: f64 in 0.0..=100.0, unit "%", default 0.0;
        /// Magnitude above which an element counts, by threshold.
        "outliers.threshold" threshold: f64 in 0.0..=65504.0, default 65504.0;
        /// Elements of a channel that must count, by threshold.
        "outliers.minimum_count" minimum_count: u32 in 1..=16_777_216, unit "elements", default 1;
        /// Whether outlier channels stay exact or are decomposed by themselves.
        "outliers.kept" kept: choice<Outliers> { Exact: "exact", Decomposed: "decomposed" }, default "exact";
        /// Rank of the outliers' factors, where they are decomposed.
        "outliers.rank" outlier_rank: u32 in 1..=65_536, default 1;
    }
}

impl Setting {
    /// Nothing decomposed, everything else by default.
    ///
    /// # Errors
    /// None: every key has a default.
    pub(crate) fn untouched() -> Result<Setting, ConfigError> {
        Setting::parse(Source::new("defaults", ""))
    }

    /// The layers on factors of a model with so many.
    ///
    /// # Errors
    /// What would be right.
    pub(crate) fn indices(&self, layers: u32) -> Result<Vec<u32>, ConfigError> {
        let wrong = |message: String| self.error_at("plan.layers", message, None);
        match self.layers.as_str() {
            "none" => Ok(Vec::new()),
            "all" => Ok((0..layers).collect()),
            list => {
                let mut indices = Vec::new();
                for word in list.split_whitespace() {
                    let index: u32 = word.parse().map_err(|_| {
                        wrong(format!("\"{word}\": must be `none`, `all`, or numbers of layers with spaces between"))
                    })?;
                    if index >= layers {
                        return Err(wrong(format!(
                            "layer {index}: the model has layers 0 to {}",
                            layers - 1
                        )));
                    }
                    if indices.contains(&index) {
                        return Err(wrong(format!("layer {index} occurs twice")));
                    }
                    indices.push(index);
                }
                Ok(indices)
            }
        }
    }

    /// The plan, with a share of outlier channels that holds on the average.
    pub(crate) fn plan(&self, indices: &[u32], outlier_percent: f64) -> Plan {
        let flow = Flow {
            return_to_factors: self.return_to_factors,
            ..Flow::default()
        };
        let layer = LayerPlan {
            rank: self.rank,
            iterations: self.rank + self.more_iterations,
            weight_rank: (self.weight_rank > 0).then_some(self.weight_rank),
            outlier_percent,
            outliers: self.kept,
            outlier_rank: self.outlier_rank,
        };
        Plan::uniform(&format!("layers {}", self.layers), flow, indices, layer)
    }

    /// Which channels are outliers in these layers.
    pub(crate) fn outlier_choice(&self, indices: &[u32]) -> OutlierChoice {
        match self.outliers_by {
            OutliersBy::Percent => OutlierChoice::Percent,
            OutliersBy::Threshold => {
                let rule = OutlierRule {
                    threshold: self.threshold,
                    minimum_count: self.minimum_count,
                };
                let rules = indices.iter().flat_map(|layer| {
                    Value::ALL.map(|value| LayerOutliers {
                        layer: *layer,
                        value: value.name().to_owned(),
                        rule,
                    })
                });
                OutlierChoice::Rules(Calibration {
                    outliers: rules.collect(),
                })
            }
        }
    }
}
