//! The study as tables, figures and a page.

mod figures;
mod tables;

use dcom_report::TableError;

use crate::error::IteraError;
use crate::format::Format;
use crate::machine::{Stored, real};
use crate::search::Design;
use crate::study::{
    Allocation, Front, LatencyRow, LayerStudy, Measure, REGIMES, allocations, best_savings,
};
use tables::elements;

/// The reduction of linear-layer latency that the abstract of arXiv 2505.08981 claims, "up to".
pub const PAPER_REDUCTION: f64 = 0.411;

/// Format and share of the full rank whose storage is shared out over the layers.
const ALLOCATED: (u32, f64) = (4, 0.25);

/// Ranks between rows of the table of errors.
const RANK_STEP: usize = 16;

/// Everything that the report shows.
pub struct Report {
    layers: Vec<LayerStudy>,
    latencies: Vec<LatencyRow>,
    /// By layer.
    fronts: Vec<Vec<Front>>,
    allocations: Vec<Allocation>,
    allocated: Vec<String>,
    provenance: String,
}

impl Report {
    /// Searches and allocates with the errors of the layers.
    ///
    /// # Errors
    /// None for layers that were studied.
    pub fn new(layers: Vec<LayerStudy>, provenance: String) -> Result<Report, IteraError> {
        let mut latencies = Vec::new();
        let mut fronts = Vec::new();
        for layer in &layers {
            latencies.extend(layer.latencies()?);
            fronts.push(layer.fronts(Measure::Weight)?);
        }
        let (bits, share) = ALLOCATED;
        let format = Format::int(bits).expect("2 to 8 bits");
        let with_output = |layer: &&LayerStudy| layer.curves(Measure::Output).is_some();
        let recorded = layers.iter().filter(with_output);
        let allocated: Vec<String> = recorded.map(|layer| layer.name.clone()).collect();
        let studied = |layer: &LayerStudy| layer.formats.iter().any(|e| e.format == format);
        let shared = if allocated.is_empty() || !layers.iter().all(studied) {
            Vec::new()
        } else {
            allocations(&layers, format, share)?
        };
        Ok(Report {
            allocated,
            allocations: shared,
            layers,
            latencies,
            fronts,
            provenance,
        })
    }
}

impl Report {
    /// The page.
    ///
    /// # Errors
    /// A number that is not finite.
    pub fn markdown(&self) -> Result<String, TableError> {
        let best = best_savings(&self.latencies);
        let storage = self
            .equal_storage(|row| row.refitted.is_some())?
            .to_markdown();
        let savings = self.latency(best.iter().copied())?.to_markdown();
        let allocation = self.allocation()?.to_markdown();
        let elements = elements()?.to_markdown();
        let (bits, share) = ALLOCATED;
        Ok(format!(
            "# ITERA-LLM on weights at hand\n\n\
             `cargo xtask reproduce itera` writes this folder; [docs/itera.md](../../docs/itera.md) says what is computed and how. \
             Errors are relative, in the Frobenius norm.\n\n\
             ## Does the claim hold?\n\n{}\n{savings}\n\
             ![latency](latency.png)\n\n\
             A row is the baseline format at which factors save most (least lose); all are in [latency.csv](latency.csv). Both sides take \
             the fastest array within the regime's limits and any format whose error is no larger than the baseline's.\n\n\
             ## At equal storage\n\n\
             The most terms that fit into the storage of quantization only, in the format of factors with the least error there; all formats: \
             [equal_storage.csv](equal_storage.csv), all ranks: [errors.csv](errors.csv).\n\n{}\n{storage}\n\
             ![storage](storage.png)\n\n\
             ## Ranks over layers\n\n\
             The storage of int{bits} factors at {} % of the full rank, shared out over layers that have a recorded input.\n\n{allocation}\n\
             ## Formats, ranks and arrays\n\n\
             What no other design of its kind beats in error and latency within an array area: [pareto.csv](pareto.csv).\n\n![pareto](pareto.png)\n\n\
             ## Processing elements\n\n45 nm, sources in [docs/itera.md](../../docs/itera.md).\n\n{elements}",
            self.verdict(&best),
            self.storage_verdict(),
            100.0 * share,
        ))
    }

    /// Whether and where the paper's figure is reached: first by the format of the baseline, then by regime.
    fn verdict(&self, best: &[&LatencyRow]) -> String {
        let mut text = format!(
            "The paper: up to {:.1} % less latency of linear layers than quantization only, at similar accuracy. Here, at equal or less error:\n\n",
            100.0 * PAPER_REDUCTION
        );
        for errors in &self.layers[0].formats {
            text += &self.against(errors.format);
        }
        text += "\nThe most that is saved in each regime, whatever the baseline:\n\n";
        for regime in &REGIMES {
            for measure in [Measure::Weight, Measure::Output] {
                let rows = best.iter().copied();
                let of = |row: &&LatencyRow| row.regime == regime.name && row.measure == measure;
                let Some((part, row)) = most_saved(rows.filter(of)) else {
                    continue;
                };
                text += &format!(
                    "* {}, error of the {}: {:.1} % ({}, error of {}): {}.\n",
                    regime.name,
                    measure_name(measure),
                    100.0 * part,
                    row.layer,
                    row.baseline,
                    judgement(part)
                );
            }
        }
        text
    }

    /// What is saved at the errors of quantization only in one format.
    fn against(&self, baseline: Format) -> String {
        let rows = || self.latencies.iter().filter(|row| row.baseline == baseline);
        let errors = self.layers.iter().flat_map(|layer| &layer.formats);
        let errors: Vec<f64> = errors
            .filter(|errors| errors.format == baseline)
            .map(|errors| errors.whole)
            .collect();
        let low = errors.iter().copied().fold(f64::INFINITY, f64::min);
        let high = errors.iter().copied().fold(0.0, f64::max);
        let Some((part, row)) = most_saved(rows()) else {
            return format!("* at the errors of **{baseline}**: no factors reach them.\n");
        };
        let (all, saving) = (rows().count(), rows().filter(|row| saves(row)).count());
        format!(
            "* at the errors of **{baseline}** ({low:.3} to {high:.3} of the weight): at most {:.1} % less ({}, {}, error of the {}), less at all in {saving} of \
             {all} cases: {}.\n",
            100.0 * part,
            row.layer,
            row.regime,
            measure_name(row.measure),
            judgement(part)
        )
    }

    fn storage_verdict(&self) -> String {
        let rows = || self.layers.iter().flat_map(|layer| &layer.equal_storage);
        let mut text = String::new();
        for bits in [2, 3, 4] {
            let refitted = rows().filter(|row| row.bits == bits && row.refitted.is_some());
            let (mut count, mut wins, mut wins_refitted) = (0, 0, 0);
            for row in refitted {
                count += 1;
                wins += usize::from(row.itera < row.whole);
                wins_refitted += usize::from(row.refitted.is_some_and(|error| error < row.whole));
            }
            let of_all = rows().filter(|row| row.bits == bits).count();
            let iterating = rows()
                .filter(|row| row.bits == bits && row.itera < row.rounded)
                .count();
            text += &format!(
                "* int{bits}: ITERA beats quantization only on {wins} of {count} weights, with refit on {wins_refitted}; it beats SVD-then-quantize in \
                 {iterating} of {of_all} pairs of weight and format.\n"
            );
        }
        text
    }
}

fn saves(row: &LatencyRow) -> bool {
    row.comparison.reduction().is_some_and(|part| part > 0.0)
}

fn most_saved<'a>(rows: impl Iterator<Item = &'a LatencyRow>) -> Option<(f64, &'a LatencyRow)> {
    let parts = rows.filter_map(|row| Some((row.comparison.reduction()?, row)));
    parts.max_by(|a, b| a.0.total_cmp(&b.0))
}

fn judgement(part: f64) -> &'static str {
    if part >= PAPER_REDUCTION {
        "the paper's figure is reached"
    } else if part > 0.0 {
        "less than the paper's figure"
    } else {
        "**the claim does not hold**"
    }
}

fn measure_name(measure: Measure) -> &'static str {
    match measure {
        Measure::Weight => "weight",
        Measure::Output => "output",
    }
}

/// `int4, rank 96 on 32 x 32`.
fn describe(design: &Design) -> String {
    let rank = match design.stored {
        Stored::Whole(_) => String::new(),
        Stored::Factored { rank, .. } => format!(", rank {rank}"),
    };
    let bound = if design.run.memory_bound {
        ", memory-bound"
    } else {
        ""
    };
    format!(
        "{}{rank} on {} x {}{bound}",
        design.stored.format(),
        design.machine.rows,
        design.machine.columns
    )
}

fn per_weight(layer: &LayerStudy, bits: u64) -> f64 {
    real(bits) / real((layer.outputs * layer.inputs) as u64)
}
