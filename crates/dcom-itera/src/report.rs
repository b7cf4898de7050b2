//! The study as tables, figures and a page.

use dcom_report::{
    Arrangement, Axis, BarPlot, BarSeries, Cell, Column, Figure, LinePlot, Page, PointGroup, Scale,
    ScatterPlot, ScatterPoint, Series, Table, TableError, Width,
};

use crate::decompose::{factor_bits, weight_bits};
use crate::error::IteraError;
use crate::format::Format;
use crate::machine::{Stored, real};
use crate::pe::{activation_format, processing_element};
use crate::search::Design;
use crate::study::{
    Allocation, LatencyRow, LayerStudy, Measure, REGIMES, allocations, best_savings,
};

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
    fronts: Vec<(String, Vec<Design>)>,
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
            fronts.push((layer.name.clone(), layer.front(Measure::Weight)?));
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

    /// (file name without extension, table) of everything.
    ///
    /// # Errors
    /// A number that is not finite.
    pub fn tables(&self) -> Result<Vec<(&'static str, Table)>, TableError> {
        Ok(vec![
            ("errors", self.errors()?),
            ("equal_storage", self.equal_storage(|_| true)?),
            ("latency", self.latency(self.latencies.iter())?),
            ("pareto", self.pareto()?),
            ("allocation", self.allocation()?),
            ("elements", elements()?),
        ])
    }

    fn errors(&self) -> Result<Table, TableError> {
        let names = [
            "layer",
            "format",
            "rank",
            "bits per weight",
            "best error",
            "ITERA",
            "SVD then quantized",
        ];
        let names = names
            .into_iter()
            .chain(["ITERA output", "quantization only"]);
        let mut table = Table::new(names.map(Column::new).collect());
        for layer in &self.layers {
            for errors in &layer.formats {
                let last = errors.itera.len().min(errors.rounded.len()) - 1;
                for rank in (RANK_STEP..=last).step_by(RANK_STEP) {
                    let bits = factor_bits(Some(errors.format), layer.outputs, layer.inputs, rank);
                    let output = errors.itera_output.as_ref();
                    table.push(vec![
                        layer.name.clone().into(),
                        errors.format.to_string().into(),
                        (rank as u64).into(),
                        Cell::real(per_weight(layer, bits), 4),
                        Cell::real(layer.best[rank], 4),
                        Cell::real(errors.itera[rank], 4),
                        Cell::real(errors.rounded[rank], 4),
                        output.map_or(Cell::Missing, |output| Cell::real(output[rank], 4)),
                        Cell::real(errors.whole, 4),
                    ])?;
                }
            }
        }
        Ok(table)
    }

    fn equal_storage(
        &self,
        shown: impl Fn(&crate::EqualStorage) -> bool,
    ) -> Result<Table, TableError> {
        let names = ["layer", "quantization only", "its error", "factors", "rank"];
        let names = names.into_iter().chain([
            "best error of the rank",
            "SVD then quantized",
            "ITERA",
            "with refit",
        ]);
        let mut table = Table::new(names.map(Column::new).collect());
        for layer in &self.layers {
            for row in layer.equal_storage.iter().filter(|row| shown(row)) {
                table.push(vec![
                    layer.name.clone().into(),
                    format!("int{}", row.bits).into(),
                    Cell::real(row.whole, 3),
                    row.format.to_string().into(),
                    (row.rank as u64).into(),
                    Cell::real(row.best, 3),
                    Cell::real(row.rounded, 3),
                    Cell::real(row.itera, 3),
                    row.refitted
                        .map_or(Cell::Missing, |error| Cell::real(error, 3)),
                ])?;
            }
        }
        Ok(table)
    }

    fn latency<'a>(&self, rows: impl Iterator<Item = &'a LatencyRow>) -> Result<Table, TableError> {
        let mut table = Table::new(vec![
            Column::new("layer"),
            Column::new("equal error of"),
            Column::new("regime"),
            Column::new("error of"),
            Column::new("its error"),
            Column::new("fastest quantization only"),
            Column::new("latency").unit("us"),
            Column::new("fastest factors"),
            Column::new("factored latency").unit("us"),
            Column::new("reduction").unit("%"),
        ]);
        for row in rows {
            let whole = &row.comparison.whole;
            let baseline = self.layers.iter().find(|layer| layer.name == row.layer);
            let curves = baseline.and_then(|layer| layer.curves(row.measure));
            let error = curves
                .iter()
                .flatten()
                .find(|curve| curve.format == row.baseline)
                .map_or(whole.error, |curve| curve.whole);
            let factored = row.comparison.factored.as_ref();
            table.push(vec![
                row.layer.clone().into(),
                measure_name(row.measure).into(),
                row.regime.into(),
                row.baseline.to_string().into(),
                Cell::real(error, 3),
                describe(whole).into(),
                Cell::real(whole.run.latency_us, 3),
                factored.map_or(Cell::Missing, |design| describe(design).into()),
                factored.map_or(Cell::Missing, |design| Cell::real(design.run.latency_us, 3)),
                row.comparison
                    .reduction()
                    .map_or(Cell::Missing, |part| Cell::real(100.0 * part, 3)),
            ])?;
        }
        Ok(table)
    }

    fn pareto(&self) -> Result<Table, TableError> {
        let mut table = Table::new(vec![
            Column::new("layer"),
            Column::new("design"),
            Column::new("error"),
            Column::new("latency").unit("us"),
            Column::new("array area").unit("mm2"),
            Column::new("energy").unit("uJ"),
            Column::new("energy low").unit("uJ"),
            Column::new("energy high").unit("uJ"),
            Column::new("bits per weight"),
        ]);
        for (name, front) in &self.fronts {
            let layer = self.layers.iter().find(|layer| layer.name == *name);
            let setting = layer.expect("fronts are of layers").setting(&REGIMES[0]);
            for design in front {
                table.push(vec![
                    name.clone().into(),
                    describe(design).into(),
                    Cell::real(design.error, 4),
                    Cell::real(design.run.latency_us, 4),
                    Cell::real(design.area_mm2, 4),
                    Cell::real(design.run.energy_uj.value, 3),
                    Cell::real(design.run.energy_uj.low, 3),
                    Cell::real(design.run.energy_uj.high, 3),
                    Cell::real(design.bits_per_weight(&setting), 4),
                ])?;
            }
        }
        Ok(table)
    }

    fn allocation(&self) -> Result<Table, TableError> {
        let ranks = self.allocated.iter().map(|name| format!("rank of {name}"));
        let names = std::iter::once("ranks".to_owned()).chain(ranks);
        let names = names.chain(std::iter::once("rms output error".to_owned()));
        let mut table = Table::new(names.map(Column::new).collect());
        for allocation in &self.allocations {
            let mut row = vec![Cell::from(allocation.way)];
            row.extend(allocation.ranks.iter().map(|&rank| Cell::from(rank as u64)));
            row.push(Cell::real(allocation.loss(), 4));
            table.push(row)?;
        }
        Ok(table)
    }

    /// (file name without extension, figure).
    #[must_use]
    pub fn figures(&self) -> Vec<(&'static str, Figure)> {
        let mut figures = Vec::new();
        if let (Some(layer), Some((_, front))) = (self.layers.first(), self.fronts.first()) {
            figures.push(("storage", self.storage_figure(layer)));
            figures.push(("pareto", self.pareto_figure(layer, front)));
        }
        if !self.latencies.is_empty() {
            figures.push(("latency", self.latency_figure()));
        }
        figures
    }

    fn page(&self, title: String) -> Page {
        Page {
            title: Some(title),
            provenance: Some(self.provenance.clone()),
            ..Page::default()
        }
    }

    fn storage_figure(&self, layer: &LayerStudy) -> Figure {
        let mut series = Vec::new();
        let whole = (2..=8).filter_map(|bits| {
            let format = Format::int(bits)?;
            let errors = layer
                .formats
                .iter()
                .find(|errors| errors.format == format)?;
            let bits = weight_bits(format, layer.outputs, layer.inputs);
            Some((per_weight(layer, bits), errors.whole))
        });
        series.push(Series::new(
            "quantization only, int2 to int8",
            whole.collect::<Vec<_>>(),
        ));
        for bits in [3, 4, 8] {
            let format = Format::int(bits).expect("2 to 8 bits");
            let Some(errors) = layer.formats.iter().find(|errors| errors.format == format) else {
                continue;
            };
            for (way, curve) in [("ITERA", &errors.itera), ("SVD, then", &errors.rounded)] {
                let points: Vec<(f64, f64)> = (RANK_STEP..curve.len())
                    .step_by(RANK_STEP)
                    .map(|rank| {
                        let bits = factor_bits(Some(format), layer.outputs, layer.inputs, rank);
                        (per_weight(layer, bits), curve[rank])
                    })
                    .filter(|&(bits, _)| bits <= 8.5)
                    .collect();
                if !points.is_empty() {
                    series.push(Series::new(format!("{way} {format}"), points));
                }
            }
        }
        Figure::from(LinePlot {
            page: self.page(layer.name.clone()),
            x: Axis::new("storage per weight", Scale::Linear).unit("bit"),
            y: Axis::new("relative error of the weight", Scale::Log10),
            series,
            markers: Vec::new(),
        })
    }

    fn pareto_figure(&self, layer: &LayerStudy, front: &[Design]) -> Figure {
        let group = |name: &str, factored: bool| PointGroup {
            name: name.to_owned(),
            points: front
                .iter()
                .filter(|design| matches!(design.stored, Stored::Factored { .. }) == factored)
                .map(|design| ScatterPoint {
                    x: design.run.latency_us,
                    y: design.error,
                    color: Some(design.area_mm2),
                    label: None,
                    x_error: None,
                    y_error: None,
                })
                .collect(),
            light: false,
        };
        let groups = [
            group("quantization only", false),
            group("two factors", true),
        ];
        Figure::from(ScatterPlot {
            page: Page {
                width: Width::DoubleColumn,
                ..self.page(format!("{}, 512 tokens", layer.name))
            },
            x: Axis::new("latency", Scale::Log10).unit("us"),
            y: Axis::new("relative error of the weight", Scale::Linear),
            color: Some(Axis::new("array area", Scale::Log10).unit("mm2")),
            curves: Vec::new(),
            groups: groups
                .into_iter()
                .filter(|group| !group.points.is_empty())
                .collect(),
        })
    }

    fn latency_figure(&self) -> Figure {
        let best = best_savings(&self.latencies);
        let value = |layer: &str, measure, regime: &str| {
            let row = best
                .iter()
                .find(|row| row.layer == layer && row.measure == measure && row.regime == regime);
            row.and_then(|row| row.comparison.reduction())
        };
        let categories: Vec<String> = self.layers.iter().map(|layer| layer.name.clone()).collect();
        let mut series = Vec::new();
        for regime in &REGIMES {
            for measure in [Measure::Weight, Measure::Output] {
                let values: Option<Vec<f64>> = categories
                    .iter()
                    .map(|layer| Some(1.0 - value(layer, measure, regime.name)?))
                    .collect();
                if let Some(values) = values {
                    let name = format!("{}, error of the {}", regime.name, measure_name(measure));
                    series.push(BarSeries::new(name, values));
                }
            }
        }
        let paper = vec![1.0 - PAPER_REDUCTION; categories.len()];
        series.push(BarSeries::new("paper, up to", paper));
        Figure::from(BarPlot {
            page: Page {
                width: Width::DoubleColumn,
                ..self.page("factors over quantization only at equal error".to_owned())
            },
            x_label: None,
            y: Axis::new("smallest ratio of latencies", Scale::Linear),
            arrangement: Arrangement::Grouped,
            categories,
            series,
        })
    }

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
             Designs that no other beats in error, latency and area at once: [pareto.csv](pareto.csv).\n\n![pareto](pareto.png)\n\n\
             ## Processing elements\n\n45 nm, sources in [docs/itera.md](../../docs/itera.md).\n\n{elements}",
            self.verdict(&best),
            self.storage_verdict(),
            100.0 * share,
        ))
    }

    /// Whether and where the paper's figure is reached.
    fn verdict(&self, best: &[&LatencyRow]) -> String {
        let mut text = format!(
            "The paper: up to {:.1} % less latency of linear layers than quantization only, at similar accuracy. Here, at equal or less error:\n\n",
            100.0 * PAPER_REDUCTION
        );
        for regime in &REGIMES {
            for measure in [Measure::Weight, Measure::Output] {
                let rows: Vec<(f64, &LatencyRow)> = best
                    .iter()
                    .filter(|row| row.regime == regime.name && row.measure == measure)
                    .filter_map(|row| Some((row.comparison.reduction()?, *row)))
                    .collect();
                let Some((part, row)) = rows.iter().max_by(|a, b| a.0.total_cmp(&b.0)) else {
                    continue;
                };
                let saving = rows.iter().filter(|(part, _)| *part > 0.0).count();
                let judgement = if *part >= PAPER_REDUCTION {
                    "the paper's figure is reached"
                } else if *part > 0.0 {
                    "less than the paper's figure"
                } else {
                    "the claim does not hold"
                };
                text += &format!(
                    "* {}, error of the {}: at most {:.1} % less ({}, error of {}); {saving} of {} weights save at any format: {judgement}.\n",
                    regime.name,
                    measure_name(measure),
                    100.0 * part,
                    row.layer,
                    row.baseline,
                    rows.len()
                );
            }
        }
        text
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

/// Area and energy of an element per format.
fn elements() -> Result<Table, TableError> {
    let mut table = Table::new(vec![
        Column::new("weights"),
        Column::new("activations"),
        Column::new("area").unit("um2"),
        Column::new("low").unit("um2"),
        Column::new("high").unit("um2"),
        Column::new("energy").unit("fJ"),
        Column::new("energy low").unit("fJ"),
        Column::new("energy high").unit("fJ"),
    ]);
    for format in Format::all() {
        let element = processing_element(format);
        let (area, energy) = (element.area_um2, element.energy_fj);
        let numbers = [
            area.value,
            area.low,
            area.high,
            energy.value,
            energy.low,
            energy.high,
        ];
        let mut row = vec![
            Cell::from(format.to_string()),
            activation_format(format).to_string().into(),
        ];
        row.extend(numbers.map(|value| Cell::real(value, 3)));
        table.push(row)?;
    }
    Ok(table)
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
