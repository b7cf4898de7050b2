//! `kind = "tornado"`: one row per parameter, with the result at the ends of its range.

use super::error::PlotError;
use super::expr::Expr;
use super::rows::Rows;
use super::section::{At, Section};
use super::spec::{AxisSpec, Kind, optional};
use crate::figure::{Figure, Page};
use crate::tornado::{TornadoBar, TornadoPlot};

#[derive(Debug)]
struct Spec {
    parameter: At<String>,
    /// The ends of the range, for the name.
    from: Option<At<String>>,
    to: Option<At<String>>,
    low: Expr,
    high: Expr,
    nominal: Expr,
    axis: AxisSpec,
    /// Whether the spec says how high the plot is.
    sized: bool,
}

pub(crate) fn read(section: &Section<'_>) -> Result<Box<dyn Kind>, PlotError> {
    let (parameter, from, to) = (
        section.text("parameter")?,
        section.text("from")?,
        section.text("to")?,
    );
    let [low, high, nominal] = ["low", "high", "nominal"].map(|key| optional(section, key));
    let axis = AxisSpec::read(section, "x")?;
    let sized = section.number("height")?.is_some();
    section.finish()?;
    Ok(Box::new(Spec {
        parameter: section.required("parameter", parameter)?,
        from,
        to,
        low: section.required("low", low?)?,
        high: section.required("high", high?)?,
        nominal: section.required("nominal", nominal?)?,
        axis,
        sized,
    }))
}

impl Kind for Spec {
    fn columns(&self) -> Vec<&At<String>> {
        let formulas = [&self.low, &self.high, &self.nominal];
        let names = [Some(&self.parameter), self.from.as_ref(), self.to.as_ref()];
        let columns = formulas.into_iter().flat_map(Expr::columns);
        columns.chain(names.into_iter().flatten()).collect()
    }

    fn figure(&self, page: Page, rows: &Rows<'_>) -> Result<Figure, PlotError> {
        /// The share of the plot's width that a parameter takes in height where the spec has no height.
        const SHARE: f64 = 0.085;
        let bars = rows.ok.iter().map(|row| {
            let name = row.text(&self.parameter);
            let range = self.from.as_ref().zip(self.to.as_ref());
            let range =
                range.map(|(from, to)| format!(" ({} to {})", row.text(from), row.text(to)));
            Ok(TornadoBar {
                name: format!("{name}{}", range.unwrap_or_default()),
                low: row.number(&self.low)?,
                high: row.number(&self.high)?,
            })
        });
        let bars: Vec<TornadoBar> = bars.collect::<Result<_, PlotError>>()?;
        let height: f64 = bars.iter().map(|_| SHARE).sum();
        Ok(Figure::from(TornadoPlot {
            page: Page {
                height_ratio: if self.sized {
                    page.height_ratio
                } else {
                    height.clamp(0.3, 2.0)
                },
                ..page
            },
            x: self.axis.axis(&self.low.text.value),
            nominal: rows.common(&self.nominal)?,
            bars,
        }))
    }
}
