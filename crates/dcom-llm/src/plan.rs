//! Decomposition plans: which layers are computed on low-rank factors, and how.
//!
//! ```
//! let plan = dcom_llm::Plan::parse("plan.toml", r#"
//! name = "four layers"
//! [[layers]]
//! indices = [10, 15, 20, 25]
//! rank = 10
//! outlier_percent = 3.0
//! "#).unwrap();
//! assert_eq!(plan.layer(15).unwrap().rank, 10);
//! assert!(plan.layer(16).is_none());
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use toml::Spanned;

/// Largest file that is read.
const SIZE_LIMIT_BYTES: u64 = 1 << 20;

/// A plan.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Name, for reports.
    pub name: String,
    /// How activations return to factors, and other choices that hold for all layers.
    pub flow: Flow,
    /// What becomes of each layer; none is computed as it is.
    layers: Vec<Option<LayerPlan>>,
}

/// Choices that hold for all decomposed layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flow {
    /// After softmax, activation function and norm, which need the original shape.
    pub return_to_factors: Return,
    /// Where outlier channels are found.
    pub outlier_scan: Scan,
}

/// How an activation that was reconstructed for a nonlinear function becomes factors again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Return {
    /// U of the layer's input stays, the rest is the least-squares fit `U^T X`: one product, no new decomposition (section 3.2: of
    /// the three factors only one keeps getting updated).
    #[default]
    Project,
    /// It is decomposed anew.
    Decompose,
    /// It does not: the products after it are those of the original layer.
    Dense,
}

/// Where outlier channels are found and copied out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scan {
    /// On the GPU: a pass over the activation.
    Gpu,
    /// On D-com while the activation arrives; those of later products of the layer on the GPU.
    #[default]
    Dcom,
}

/// What becomes of outlier channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outliers {
    /// They stay as they are.
    #[default]
    Exact,
    /// They are decomposed too, by themselves.
    Decomposed,
}

/// What becomes of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerPlan {
    /// Rank of the factors of the activations.
    pub rank: u32,
    /// Lanczos iterations.
    pub iterations: u32,
    /// Rank of the factors of the weights; none leaves them whole.
    pub weight_rank: Option<u32>,
    /// Outlier channels of an activation (percent of its channels).
    pub outlier_percent: f64,
    /// What becomes of them.
    pub outliers: Outliers,
    /// Rank of the outlier channels' factors, where they are decomposed.
    pub outlier_rank: u32,
}

impl LayerPlan {
    /// Outlier channels of an activation with so many channels.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "channels are below 2^32, the percentage is checked"
    )]
    pub fn outlier_channels(&self, channels: u64) -> u64 {
        (self.outlier_percent / 100.0 * channels as f64).ceil() as u64
    }

    /// Columns that the outliers add to the factors of an activation.
    #[must_use]
    pub fn outlier_factors(&self, channels: u64) -> u64 {
        let outliers = self.outlier_channels(channels);
        match self.outliers {
            Outliers::Exact => outliers,
            Outliers::Decomposed => outliers.min(self.outlier_rank.into()),
        }
    }
}

/// Why a plan is no plan.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No TOML, an unknown key, or a wrong type.
    #[error("{file}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// Where, and what would be right.
        message: String,
    },
    /// A value that does not make sense.
    #[error("{file}:{line}: {key} = {value}: {message}")]
    Value {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What would be right.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    flow: Flow,
    #[serde(default)]
    layers: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    indices: Vec<Spanned<u32>>,
    rank: Spanned<u32>,
    iterations: Option<Spanned<u32>>,
    weight_rank: Option<Spanned<u32>>,
    #[serde(default = "no_outliers")]
    outlier_percent: Spanned<f64>,
    #[serde(default)]
    outliers: Outliers,
    outlier_rank: Option<Spanned<u32>>,
}

fn no_outliers() -> Spanned<f64> {
    Spanned::new(0..0, 0.0)
}

/// Most layers a model can have, as in a model file.
const LAYERS: u32 = 1000;

/// Highest rank, as in a workload file.
const RANK: u32 = 512;

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// File, line, key, value and what would be right.
    pub fn read(path: &Path) -> Result<Plan, PlanError> {
        let fail = |source| PlanError::Read {
            path: path.to_owned(),
            source,
        };
        let bytes = std::fs::metadata(path).map_err(fail)?.len();
        if bytes > SIZE_LIMIT_BYTES {
            return Err(fail(std::io::Error::other(format!(
                "{bytes} bytes are more than a plan can have ({SIZE_LIMIT_BYTES})"
            ))));
        }
        let text = std::fs::read_to_string(path).map_err(fail)?;
        Plan::parse(&path.display().to_string(), &text)
    }

    /// Parses a plan.
    ///
    /// # Errors
    /// File, line, key, value and what would be right.
    pub fn parse(name: &str, text: &str) -> Result<Plan, PlanError> {
        let file: File = toml::from_str(text).map_err(|error| PlanError::Syntax {
            file: name.to_owned(),
            message: error.to_string(),
        })?;
        let check = Check { name, text };
        let mut layers: Vec<Option<LayerPlan>> = Vec::new();
        for entry in &file.layers {
            let layer = check.layer(entry)?;
            for index in &entry.indices {
                check.within("indices", index, 0, LAYERS - 1)?;
                let at = *index.get_ref() as usize;
                if layers.len() <= at {
                    layers.resize(at + 1, None);
                }
                if layers[at].replace(layer).is_some() {
                    return Err(check.error("indices", index, "the layer is planned twice"));
                }
            }
        }
        Ok(Plan {
            name: file.name,
            flow: file.flow,
            layers,
        })
    }

    /// The same for some layers.
    #[must_use]
    pub fn uniform(name: &str, flow: Flow, indices: &[u32], layer: LayerPlan) -> Plan {
        let count = indices.iter().max().map_or(0, |last| last + 1);
        Plan {
            name: name.to_owned(),
            flow,
            layers: (0..count)
                .map(|index| indices.contains(&index).then_some(layer))
                .collect(),
        }
    }

    /// What becomes of a layer; none if it is computed as it is.
    #[must_use]
    pub fn layer(&self, index: u32) -> Option<&LayerPlan> {
        self.layers.get(index as usize)?.as_ref()
    }

    /// Decomposed layers.
    pub fn decomposed(&self) -> impl Iterator<Item = (u32, &LayerPlan)> {
        let planned = (0..).zip(&self.layers);
        planned.filter_map(|(index, layer)| Some((index, layer.as_ref()?)))
    }
}

struct Check<'a> {
    name: &'a str,
    text: &'a str,
}

impl Check<'_> {
    fn layer(&self, entry: &Entry) -> Result<LayerPlan, PlanError> {
        self.within("rank", &entry.rank, 1, RANK)?;
        let rank = *entry.rank.get_ref();
        let iterations = entry.iterations.as_ref();
        if let Some(iterations) = iterations {
            self.within("iterations", iterations, rank, RANK)?;
        }
        for (key, value) in [
            ("weight_rank", &entry.weight_rank),
            ("outlier_rank", &entry.outlier_rank),
        ] {
            if let Some(value) = value {
                self.within(key, value, 1, 65_536)?;
            }
        }
        let percent = *entry.outlier_percent.get_ref();
        if !(0.0..=100.0).contains(&percent) {
            return Err(self.error(
                "outlier_percent",
                &entry.outlier_percent,
                "must be in 0..=100 (percent of the channels)",
            ));
        }
        Ok(LayerPlan {
            rank,
            iterations: iterations.map_or(rank, |i| *i.get_ref()),
            weight_rank: entry.weight_rank.as_ref().map(|p| *p.get_ref()),
            outlier_percent: percent,
            outliers: entry.outliers,
            outlier_rank: entry.outlier_rank.as_ref().map_or(rank, |p| *p.get_ref()),
        })
    }

    fn within(
        &self,
        key: &'static str,
        value: &Spanned<u32>,
        low: u32,
        high: u32,
    ) -> Result<(), PlanError> {
        if (low..=high).contains(value.get_ref()) {
            return Ok(());
        }
        Err(self.error(key, value, &format!("must be in {low}..={high}")))
    }

    fn error<T: std::fmt::Display>(
        &self,
        key: &'static str,
        value: &Spanned<T>,
        message: &str,
    ) -> PlanError {
        let before = self.text.get(..value.span().start).unwrap_or_default();
        PlanError::Value {
            file: self.name.to_owned(),
            line: before.matches('\n').count() + 1,
            key,
            value: value.get_ref().to_string(),
            message: message.to_owned(),
        }
    }
}
