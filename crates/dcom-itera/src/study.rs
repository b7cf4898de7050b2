//! What all formats and ranks do to given weights, and what that buys: the numbers of the report.

use std::collections::BTreeMap;

use crate::allocate::{LayerCurve, allocate};
use crate::decompose::{
    Options, factor_bits, itera, quantize_weight, svd_then_quantize, weight_bits,
};
use crate::error::IteraError;
use crate::format::Format;
use crate::machine::Stored;
use crate::matrix::Weight;
use crate::output::Output;
use crate::search::{Comparison, Design, FormatCurve, Limits, Setting, designs, pareto_front};
use crate::svd::Svd;

/// Sweeps of the refit at equal storage. Assumed: further ones lower the error by less than 1 % of it.
const REFIT_SWEEPS: usize = 3;

/// Bits of the integers whose storage the ways are compared at.
const EQUAL_STORAGE_BITS: [u32; 3] = [2, 3, 4];

/// A weight to study.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its name in the report.
    pub name: String,
    /// The weight, rows = outputs.
    pub weight: Weight,
    /// An input of the layer that was recorded, rows = tokens; errors of its output are then studied too.
    pub activation: Option<Weight>,
}

/// Errors of one weight in one format.
#[derive(Clone, Debug, PartialEq)]
pub struct FormatErrors {
    /// The format.
    pub format: Format,
    /// Quantization only: relative error of the weight.
    pub whole: f64,
    /// The same of the layer's output.
    pub whole_output: Option<f64>,
    /// ITERA with 0, 1, 2, ... terms.
    pub itera: Vec<f64>,
    /// The same of the layer's output.
    pub itera_output: Option<Vec<f64>>,
    /// SVD, then quantization, with 0, 1, 2, ... terms.
    pub rounded: Vec<f64>,
}

/// The three ways at the storage of quantization only.
#[derive(Clone, Debug, PartialEq)]
pub struct EqualStorage {
    /// Integer bits of quantization only.
    pub bits: u32,
    /// Its error.
    pub whole: f64,
    /// The format of the factors.
    pub format: Format,
    /// The most terms that fit into the same storage.
    pub rank: usize,
    /// The best possible error of that rank.
    pub best: f64,
    /// ITERA.
    pub itera: f64,
    /// ITERA with refit; only for the best format.
    pub refitted: Option<f64>,
    /// SVD, then quantization.
    pub rounded: f64,
}

/// One weight.
#[derive(Clone, Debug)]
pub struct LayerStudy {
    /// Its name.
    pub name: String,
    /// Rows.
    pub outputs: usize,
    /// Columns.
    pub inputs: usize,
    /// The best possible error with 0, 1, 2, ... terms.
    pub best: Vec<f64>,
    /// By format.
    pub formats: Vec<FormatErrors>,
    /// By bits of quantization only, then format.
    pub equal_storage: Vec<EqualStorage>,
}

/// Which error two designs are compared at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Of the weight.
    Weight,
    /// Of the layer's output on a recorded input.
    Output,
}

/// What the array may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regime {
    /// Its name in the report.
    pub name: &'static str,
    /// Tokens at a time.
    pub tokens: u64,
    /// Largest area \[mm^2\].
    pub area_mm2: f64,
    /// Largest number of processing elements.
    pub elements: u64,
    /// Memory bandwidth \[GB/s\].
    pub memory_gb_per_s: f64,
}

/// The regimes of the report. Assumed: one clock, 1 GHz; an edge device's array and LPDDR5 memory (51.2 GB/s on 64 bits).
/// Prefill is bound by arithmetic, decoding by memory.
pub const REGIMES: [Regime; 3] = [
    Regime {
        name: "prefill, equal elements",
        tokens: 512,
        area_mm2: f64::INFINITY,
        elements: 1024,
        memory_gb_per_s: 51.2,
    },
    Regime {
        name: "prefill, equal area",
        tokens: 512,
        area_mm2: 1.0,
        elements: u64::MAX,
        memory_gb_per_s: 51.2,
    },
    Regime {
        name: "decoding, equal area",
        tokens: 1,
        area_mm2: 1.0,
        elements: u64::MAX,
        memory_gb_per_s: 51.2,
    },
];

/// Array areas of the Pareto fronts \[mm^2\]: about 16 x 16, 48 x 48 and 150 x 150 elements of int8. Assumed: the sizes of edge devices.
pub const AREAS_MM2: [f64; 3] = [0.2, 2.0, 20.0];

/// What no other design of its kind beats in error and latency within an area.
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    /// Largest area of the array \[mm^2\].
    pub area_mm2: f64,
    /// Whether its designs have factors.
    pub factored: bool,
    /// By rising error.
    pub designs: Vec<Design>,
}

/// Factors against quantization only in one format, regime and measure.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyRow {
    /// The weight.
    pub layer: String,
    /// Which error is equal.
    pub measure: Measure,
    /// The regime's name.
    pub regime: &'static str,
    /// The format of the baseline.
    pub baseline: Format,
    /// The designs.
    pub comparison: Comparison,
}

impl LayerStudy {
    /// Runs every format at every rank.
    ///
    /// # Errors
    /// An activation of the wrong width; a decomposition that does not converge.
    pub fn compute(
        subject: &Subject,
        formats: &[Format],
        progress: &mut dyn FnMut(&str),
    ) -> Result<LayerStudy, IteraError> {
        let weight = &subject.weight;
        let (outputs, inputs) = (weight.rows(), weight.cols());
        let rank = outputs.min(inputs);
        let svd = Svd::new(weight)?;
        let exact = match &subject.activation {
            Some(activation) => Some(Output::new(weight, activation)?),
            None => None,
        };
        let mut all = Vec::new();
        for &format in formats {
            progress(&format!("{}: {format}", subject.name));
            let (whole, quantized) = quantize_weight(weight, format);
            let found = itera(weight, &Options::new(rank, Some(format)), &mut |_| {})?;
            let rounded = svd_then_quantize(weight, &svd, Some(format), rank, &mut |_| {})?;
            all.push(FormatErrors {
                format,
                whole,
                whole_output: exact.as_ref().map(|exact| exact.error_of(&quantized)),
                itera_output: exact.as_ref().map(|exact| exact.errors_of_terms(&found)),
                itera: found.errors,
                rounded: rounded.errors,
            });
        }
        let mut study = LayerStudy {
            name: subject.name.clone(),
            outputs,
            inputs,
            best: svd.best_errors(),
            formats: all,
            equal_storage: Vec::new(),
        };
        progress(&format!("{}: refits at equal storage", subject.name));
        study.equal_storage = study.at_equal_storage(weight)?;
        Ok(study)
    }

    fn at_equal_storage(&self, weight: &Weight) -> Result<Vec<EqualStorage>, IteraError> {
        let mut all = Vec::new();
        for bits in EQUAL_STORAGE_BITS {
            let whole = Format::int(bits).expect("2 to 8 bits");
            let budget = weight_bits(whole, self.outputs, self.inputs);
            let whole = quantize_weight(weight, whole).0;
            let mut rows: Vec<EqualStorage> = Vec::new();
            for errors in &self.formats {
                let term = factor_bits(Some(errors.format), self.outputs, self.inputs, 1);
                let fits = usize::try_from(budget / term).expect("a rank");
                let rank = fits
                    .min(errors.itera.len() - 1)
                    .min(errors.rounded.len() - 1);
                rows.push(EqualStorage {
                    bits,
                    whole,
                    format: errors.format,
                    rank,
                    best: self.best[rank],
                    itera: errors.itera[rank],
                    refitted: None,
                    rounded: errors.rounded[rank],
                });
            }
            let best = rows.iter_mut().min_by(|a, b| a.itera.total_cmp(&b.itera));
            if let Some(row) = best {
                let options = Options {
                    refit_sweeps: REFIT_SWEEPS,
                    ..Options::new(row.rank, Some(row.format))
                };
                row.refitted = Some(itera(weight, &options, &mut |_| {})?.error());
            }
            all.extend(rows);
        }
        Ok(all)
    }

    /// The setting of a regime.
    #[must_use]
    pub fn setting(&self, regime: &Regime) -> Setting {
        Setting {
            tokens: regime.tokens,
            outputs: self.outputs as u64,
            inputs: self.inputs as u64,
            clock_ghz: 1.0,
            memory_gb_per_s: regime.memory_gb_per_s,
        }
    }

    /// Error curves in one measure; none without a recorded input.
    #[must_use]
    pub fn curves(&self, measure: Measure) -> Option<Vec<FormatCurve>> {
        let curve = |errors: &FormatErrors| {
            let (whole, factored) = match measure {
                Measure::Weight => (errors.whole, errors.itera.clone()),
                Measure::Output => (errors.whole_output?, errors.itera_output.clone()?),
            };
            Some(FormatCurve {
                format: errors.format,
                whole,
                factored,
            })
        };
        self.formats.iter().map(curve).collect()
    }

    /// Factors against each quantization-only format, in every regime and measure.
    ///
    /// # Errors
    /// None with the regimes of this crate.
    pub fn latencies(&self) -> Result<Vec<LatencyRow>, IteraError> {
        let mut rows = Vec::new();
        for measure in [Measure::Weight, Measure::Output] {
            let Some(curves) = self.curves(measure) else {
                continue;
            };
            for regime in &REGIMES {
                let all = designs(&curves, &self.setting(regime), 1)?;
                for curve in &curves {
                    let limits = Limits {
                        error: curve.whole,
                        area_mm2: regime.area_mm2,
                        elements: regime.elements,
                    };
                    if let Some(comparison) = Comparison::new(&all, &limits) {
                        rows.push(LatencyRow {
                            layer: self.name.clone(),
                            measure,
                            regime: regime.name,
                            baseline: curve.format,
                            comparison,
                        });
                    }
                }
            }
        }
        Ok(rows)
    }

    /// The fronts of error and latency when 512 tokens are multiplied, ranks in steps of 8: within each of [`AREAS_MM2`], of quantization
    /// only and of factors.
    ///
    /// # Errors
    /// None with the regimes of this crate.
    pub fn fronts(&self, measure: Measure) -> Result<Vec<Front>, IteraError> {
        let Some(curves) = self.curves(measure) else {
            return Ok(Vec::new());
        };
        let all = designs(&curves, &self.setting(&REGIMES[0]), 8)?;
        let mut fronts = Vec::new();
        for area_mm2 in AREAS_MM2 {
            for factored in [false, true] {
                let within = all.iter().filter(|design| {
                    let is_factored = matches!(design.stored, Stored::Factored { .. });
                    design.area_mm2 <= area_mm2 && is_factored == factored
                });
                fronts.push(Front {
                    area_mm2,
                    factored,
                    designs: pareto_front(within),
                });
            }
        }
        Ok(fronts)
    }
}

/// Ranks for all layers at one storage.
#[derive(Clone, Debug, PartialEq)]
pub struct Allocation {
    /// How the ranks were chosen.
    pub way: &'static str,
    /// By layer.
    pub ranks: Vec<usize>,
    /// Relative error of the output of each layer.
    pub output_errors: Vec<f64>,
}

impl Allocation {
    /// Root mean square of the layers' relative output errors: the loss that is shared out.
    #[must_use]
    pub fn loss(&self) -> f64 {
        let squares: f64 = self.output_errors.iter().map(|e| e * e).sum();
        #[expect(clippy::cast_precision_loss, reason = "a few layers")]
        let count = self.output_errors.len() as f64;
        (squares / count).sqrt()
    }
}

/// Ranks at the storage of `share` of the full rank in every layer: the same share everywhere, by errors of the weights, and by errors of
/// the outputs (sensitivity). Layers without a recorded input take no part.
///
/// # Errors
/// None for layers that were studied.
pub fn allocations(
    layers: &[LayerStudy],
    format: Format,
    share: f64,
) -> Result<Vec<Allocation>, IteraError> {
    let chosen: Vec<(&LayerStudy, &FormatErrors, &Vec<f64>)> = layers
        .iter()
        .filter_map(|layer| {
            let errors = layer.formats.iter().find(|e| e.format == format)?;
            Some((layer, errors, errors.itera_output.as_ref()?))
        })
        .collect();
    let curves = |outputs: bool| -> Vec<LayerCurve> {
        let curve =
            |&(layer, errors, output): &(&LayerStudy, &FormatErrors, &Vec<f64>)| LayerCurve {
                errors: if outputs {
                    output.clone()
                } else {
                    errors.itera.clone()
                },
                sensitivity: 1.0,
                bits_per_rank: factor_bits(Some(format), layer.outputs, layer.inputs, 1),
            };
        chosen.iter().map(curve).collect()
    };
    let uniform: Vec<usize> = chosen
        .iter()
        .map(|(layer, errors, _)| share_of(share, layer.best.len() - 1).min(errors.itera.len() - 1))
        .collect();
    let pairs = curves(true).into_iter().zip(&uniform);
    let budget = pairs
        .map(|(curve, &rank)| curve.bits_per_rank * rank as u64)
        .sum();
    let ways = [
        ("the same share of the full rank", uniform),
        (
            "by errors of the weights",
            allocate(&curves(false), budget)?,
        ),
        ("by errors of the outputs", allocate(&curves(true), budget)?),
    ];
    Ok(ways
        .into_iter()
        .map(|(way, ranks)| Allocation {
            way,
            output_errors: chosen
                .iter()
                .zip(&ranks)
                .map(|((_, _, output), &rank)| output[rank])
                .collect(),
            ranks,
        })
        .collect())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rank"
)]
fn share_of(share: f64, rank: usize) -> usize {
    (share * rank as f64).round() as usize
}

/// The largest saving of each layer, regime and measure, and its row.
#[must_use]
pub fn best_savings(rows: &[LatencyRow]) -> Vec<&LatencyRow> {
    let mut best: BTreeMap<(&str, Measure, &str), &LatencyRow> = BTreeMap::new();
    for row in rows {
        let Some(reduction) = row.comparison.reduction() else {
            continue;
        };
        let key = (row.layer.as_str(), row.measure, row.regime);
        let better = best
            .get(&key)
            .and_then(|best| best.comparison.reduction())
            .is_none_or(|old| reduction > old);
        if better {
            best.insert(key, row);
        }
    }
    best.into_values().collect()
}
