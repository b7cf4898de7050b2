//! `kind = "heatmap"`: a value over two columns; rows without a result are hatched.

use super::bars::label;
use super::error::PlotError;
use super::expr::Expr;
use super::rows::Rows;
use super::section::{At, Section};
use super::spec::{AxisSpec, Kind, ambiguous};
use crate::figure::{Figure, Page};
use crate::heat::{HeatCell, HeatMap};

#[derive(Debug)]
struct Spec {
    x: At<String>,
    y: At<String>,
    x_label: Option<String>,
    y_label: Option<String>,
    value: Expr,
    axis: AxisSpec,
}

pub(crate) fn read(section: &Section<'_>) -> Result<Box<dyn Kind>, PlotError> {
    let (x, y, value) = (
        section.text("x")?,
        section.text("y")?,
        section.formula("value")?,
    );
    let x_label = section.text("x_label")?.map(|label| label.value);
    let y_label = section.text("y_label")?.map(|label| label.value);
    let axis = AxisSpec::read(section, "value")?;
    section.finish()?;
    Ok(Box::new(Spec {
        x: section.required("x", x)?,
        y: section.required("y", y)?,
        x_label,
        y_label,
        value: Expr::parse(section.required("value", value)?)?,
        axis,
    }))
}

impl Kind for Spec {
    fn columns(&self) -> Vec<&At<String>> {
        [&self.x, &self.y]
            .into_iter()
            .chain(self.value.columns())
            .collect()
    }

    fn figure(&self, page: Page, rows: &Rows<'_>) -> Result<Figure, PlotError> {
        let (columns, names) = (rows.values(&self.x), rows.values(&self.y));
        let mut cells = Vec::new();
        for y in &names {
            let mut line = Vec::new();
            for x in &columns {
                let here = |row: &&super::rows::Row<'_>| {
                    row.text(&self.x) == *x && row.text(&self.y) == *y
                };
                let mut found = rows.ok.iter().filter(here);
                line.push(match (found.next(), found.next()) {
                    (Some(first), Some(second)) => {
                        let place = format!("{} = {x}, {} = {y}", self.x.value, self.y.value);
                        return Err(ambiguous(first, second, &place));
                    }
                    (Some(row), None) => HeatCell::Value(row.number(&self.value)?),
                    (None, _) if rows.failed.iter().any(|row| here(&row)) => HeatCell::Infeasible,
                    (None, _) => HeatCell::Missing,
                });
            }
            cells.push(line);
        }
        let named = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        Ok(Figure::from(HeatMap {
            page,
            x_label: self.x_label.clone().unwrap_or_else(|| label(&self.x.value)),
            y_label: self.y_label.clone().unwrap_or_else(|| label(&self.y.value)),
            columns: named(columns),
            rows: named(names),
            value: self.axis.axis(&self.value.text.value),
            cells,
        }))
    }
}
