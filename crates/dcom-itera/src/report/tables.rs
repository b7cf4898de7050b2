//! The tables of the report.

use dcom_report::{Cell, Column, Table, TableError};

use super::{RANK_STEP, Report, describe, measure_name, per_weight};
use crate::decompose::factor_bits;
use crate::format::Format;
use crate::pe::{activation_format, processing_element};
use crate::study::{LatencyRow, REGIMES};

impl Report {
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

    pub(super) fn equal_storage(
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

    pub(super) fn latency<'a>(
        &self,
        rows: impl Iterator<Item = &'a LatencyRow>,
    ) -> Result<Table, TableError> {
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
            Column::new("area at most").unit("mm2"),
            Column::new("design"),
            Column::new("error"),
            Column::new("latency").unit("us"),
            Column::new("array area").unit("mm2"),
            Column::new("energy").unit("uJ"),
            Column::new("energy low").unit("uJ"),
            Column::new("energy high").unit("uJ"),
            Column::new("bits per weight"),
        ]);
        for (layer, fronts) in self.layers.iter().zip(&self.fronts) {
            let setting = layer.setting(&REGIMES[0]);
            for front in fronts {
                for design in &front.designs {
                    table.push(vec![
                        layer.name.clone().into(),
                        Cell::real(front.area_mm2, 2),
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
        }
        Ok(table)
    }

    pub(super) fn allocation(&self) -> Result<Table, TableError> {
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
}

/// Area and energy of an element per format.
pub(super) fn elements() -> Result<Table, TableError> {
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
