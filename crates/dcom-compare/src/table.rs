//! A comparison as a table and as a figure.

use std::collections::BTreeMap;

use dcom_mapper::Algorithm;
use dcom_report::{
    Axis, Cell, Column, Figure, LinePlot, Marker, Page, Scale, Series, Table, TableError,
};

use crate::evaluate::{Comparison, Outcome};

/// One row per candidate, in their order.
///
/// # Errors
/// Never, for a comparison that was made here.
pub fn table(comparison: &Comparison) -> Result<Table, TableError> {
    let mut table = Table::new(vec![
        Column::new("algorithm"),
        Column::new("vectors"),
        Column::new("error"),
        Column::new("above best").unit("%"),
        Column::new("reads of A"),
        Column::new("cycles"),
        Column::new("time").unit("us"),
        Column::new("without small SVD").unit("us"),
        Column::new("chip energy").unit("uJ"),
        Column::new("low").unit("uJ"),
        Column::new("high").unit("uJ"),
        Column::new("memory and link").unit("uJ"),
        Column::new("GPU eager").unit("us"),
        Column::new("GPU fused").unit("us"),
    ]);
    for outcome in &comparison.outcomes {
        let Outcome {
            candidate, cost, ..
        } = outcome;
        let error = |value: fn(f64, f64) -> f64| match outcome.error {
            Some(error) => Cell::real(value(error, comparison.best_error), 5),
            None => Cell::Missing,
        };
        table.push(vec![
            Cell::from(candidate.label()),
            Cell::from(u64::from(candidate.iterations)),
            error(|error, _| error),
            error(|error, best| 100.0 * (error / best - 1.0)),
            Cell::real(cost.reads, 4),
            Cell::from(cost.cycles),
            Cell::real(cost.us, 5),
            Cell::real(cost.array_us, 5),
            Cell::real(cost.chip_uj.nominal, 4),
            Cell::real(cost.chip_uj.low, 4),
            Cell::real(cost.chip_uj.high, 4),
            Cell::real(cost.transfer_uj, 4),
            Cell::real(cost.gpu_eager_us, 4),
            Cell::real(cost.gpu_fused_us, 4),
        ])?;
    }
    Ok(table)
}

/// Where the comparison ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// D-com.
    Dcom,
    /// The GPU with fused kernels.
    GpuFused,
    /// The GPU as PyTorch runs it.
    GpuEager,
}

impl Place {
    fn us(self, outcome: &Outcome) -> f64 {
        match self {
            Place::Dcom => outcome.cost.us,
            Place::GpuFused => outcome.cost.gpu_fused_us,
            Place::GpuEager => outcome.cost.gpu_eager_us,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Place::Dcom => "time on D-com",
            Place::GpuFused => "time on the GPU, fused kernels",
            Place::GpuEager => "time on the GPU, eager kernels",
        }
    }
}

/// Error over time, a line per algorithm, Lanczos with one Gram-Schmidt pass; the best error of the rank is a line of its own.
#[must_use]
pub fn figure(comparison: &Comparison, place: Place, provenance: String) -> Figure {
    let mut lines: BTreeMap<usize, (String, Vec<(f64, f64)>)> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for outcome in &comparison.outcomes {
        let Some(error) = outcome.error else { continue };
        // A figure tells eight lines apart; second passes change little but on massive entries.
        let is_lanczos = matches!(
            outcome.candidate.algorithm,
            Algorithm::GolubKahan | Algorithm::OneRead
        );
        if is_lanczos && outcome.candidate.gram_schmidt_passes > 1 {
            continue;
        }
        let label = outcome.candidate.label();
        let at = order.iter().position(|known| *known == label);
        let at = at.unwrap_or_else(|| {
            order.push(label.clone());
            order.len() - 1
        });
        let line = lines.entry(at).or_insert((label, Vec::new()));
        line.1.push((place.us(outcome), error));
    }
    let times: Vec<f64> = lines
        .values()
        .flat_map(|(_, points)| points)
        .map(|p| p.0)
        .collect();
    let (least, most) = times
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(a, b), &t| (a.min(t), b.max(t)));
    let mut series: Vec<Series> = lines
        .into_values()
        .map(|(label, mut points)| {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            Series::new(label, points)
        })
        .collect();
    let best = comparison.best_error;
    series.push(Series::new(
        "best of the rank",
        [(least, best), (most, best)],
    ));
    Figure::from(LinePlot {
        page: Page {
            provenance: Some(provenance),
            ..Page::default()
        },
        x: Axis::new(place.label(), Scale::Log10).unit("us"),
        y: Axis::new("relative error", Scale::Linear),
        series,
        markers: Vec::<Marker>::new(),
    })
}
