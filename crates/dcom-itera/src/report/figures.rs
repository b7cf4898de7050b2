//! The figures of the report.

use dcom_report::{
    Arrangement, Axis, BarPlot, BarSeries, Figure, LinePlot, Page, Scale, Series, Width,
};

use super::{PAPER_REDUCTION, RANK_STEP, Report, measure_name, per_weight};
use crate::decompose::{factor_bits, weight_bits};
use crate::format::Format;
use crate::study::{Front, LayerStudy, Measure, REGIMES, best_savings};

impl Report {
    /// (file name without extension, figure).
    #[must_use]
    pub fn figures(&self) -> Vec<(&'static str, Figure)> {
        let mut figures = Vec::new();
        if let (Some(layer), Some(fronts)) = (self.layers.first(), self.fronts.first()) {
            figures.push(("storage", self.storage_figure(layer)));
            figures.push(("pareto", self.pareto_figure(layer, fronts)));
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

    /// Latency over error within each area; quantization only are single points, since they have one error per format.
    fn pareto_figure(&self, layer: &LayerStudy, fronts: &[Front]) -> Figure {
        let points = |front: &Front| -> Vec<(f64, f64)> {
            let designs = front.designs.iter();
            designs
                .map(|design| (design.error, design.run.latency_us))
                .collect()
        };
        let series = fronts.iter().filter(|front| !front.designs.is_empty());
        let series = series.map(|front| {
            let kind = if front.factored {
                "two factors"
            } else {
                "quantization only"
            };
            Series::new(
                format!("{kind}, at most {} mm2", front.area_mm2),
                points(front),
            )
        });
        Figure::from(LinePlot {
            page: Page {
                width: Width::DoubleColumn,
                ..self.page(format!("{}, 512 tokens", layer.name))
            },
            x: Axis::new("relative error of the weight", Scale::Log10),
            y: Axis::new("latency", Scale::Log10).unit("us"),
            series: series.collect(),
            markers: Vec::new(),
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
}
