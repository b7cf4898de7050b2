//! `kind = "roofline"` (Williams, Waterman and Patterson, 2009): work per second over work per byte, below the limits of
//! the machine's units and memories.

use super::error::PlotError;
use super::expr::Expr;
use super::rows::Rows;
use super::section::{At, Section};
use super::spec::{AxisSpec, Kind, Series, optional};
use crate::figure::{Axis, Figure, Page, Scale};
use crate::scatter::{Curve, PointGroup, ScatterPlot, ScatterPoint};

#[derive(Debug)]
struct Spec {
    x: Expr,
    y: Expr,
    axes: [AxisSpec; 2],
    series: Series,
    label: Option<At<String>>,
    roofs: Vec<Roof>,
    here: At<()>,
}

#[derive(Debug)]
struct Roof {
    name: String,
    limit: Limit,
}

#[derive(Debug)]
enum Limit {
    /// Work per second.
    Work(Expr),
    /// Bytes per second.
    Bytes(Expr),
}

/// Room beside the points and the ridge, as a factor.
const ROOM: f64 = 3.0;

pub(crate) fn read(section: &Section<'_>) -> Result<Box<dyn Kind>, PlotError> {
    let (x, y, label) = (
        section.formula("x")?,
        section.formula("y")?,
        section.text("label")?,
    );
    let axes = [
        AxisSpec::words(section, "x")?,
        AxisSpec::words(section, "y")?,
    ];
    let series = Series::read(section)?;
    let roofs = section.sections("roof", "[[roof]]")?;
    section.finish()?;
    Ok(Box::new(Spec {
        x: Expr::parse(section.required("x", x)?)?,
        y: Expr::parse(section.required("y", y)?)?,
        axes,
        series,
        label,
        roofs: roofs.iter().map(read_roof).collect::<Result<_, _>>()?,
        here: section.here(),
    }))
}

fn read_roof(section: &Section<'_>) -> Result<Roof, PlotError> {
    let name = section.text("name")?;
    let (work, bytes) = (
        optional(section, "work_per_s")?,
        optional(section, "bytes_per_s")?,
    );
    section.finish()?;
    let limit = match (work, bytes) {
        (Some(work), None) => Limit::Work(work),
        (None, Some(bytes)) => Limit::Bytes(bytes),
        (Some(_), Some(_)) | (None, None) => {
            let message = "a [[roof]] has either `work_per_s` or `bytes_per_s`";
            return Err(section.here().error(message));
        }
    };
    Ok(Roof {
        name: section.required("name", name)?.value,
        limit,
    })
}

impl Kind for Spec {
    fn columns(&self) -> Vec<&At<String>> {
        let limits = self.roofs.iter().map(|roof| match &roof.limit {
            Limit::Work(formula) | Limit::Bytes(formula) => formula,
        });
        let formulas = [&self.x, &self.y].into_iter().chain(limits);
        let columns = formulas.flat_map(Expr::columns);
        columns
            .chain(&self.series.columns)
            .chain(&self.label)
            .collect()
    }

    fn figure(&self, page: Page, rows: &Rows<'_>) -> Result<Figure, PlotError> {
        let mut groups = Vec::new();
        for (key, group) in rows.groups(&self.series.columns) {
            let points = group.iter().map(|row| {
                Ok(ScatterPoint {
                    x: row.number(&self.x)?,
                    y: row.number(&self.y)?,
                    x_error: None,
                    y_error: None,
                    color: None,
                    label: self
                        .label
                        .as_ref()
                        .map(|column| row.text(column).to_owned()),
                })
            });
            groups.push(PointGroup {
                name: self.series.name(&key, "achieved"),
                points: points.collect::<Result<_, PlotError>>()?,
                light: false,
            });
        }
        let [x, y] = &self.axes;
        let axis = |axis: Axis| Axis {
            scale: Scale::Log10,
            ..axis
        };
        let points = groups.iter().flat_map(|group| &group.points);
        let places: Vec<f64> = points.map(|point| point.x).collect();
        Ok(Figure::from(ScatterPlot {
            page,
            x: axis(x.axis(&self.x.text.value)),
            y: axis(y.axis(&self.y.text.value)),
            color: None,
            curves: self.curves(rows, &places)?,
            groups,
        }))
    }
}

impl Spec {
    /// Each limit where the highest of the other sort does not lie below it.
    fn curves(&self, rows: &Rows<'_>, places: &[f64]) -> Result<Vec<Curve>, PlotError> {
        let (mut work, mut bytes) = (Vec::new(), Vec::new());
        for roof in &self.roofs {
            let (Limit::Work(formula) | Limit::Bytes(formula)) = &roof.limit;
            let value = rows.common(formula)?;
            if value <= 0.0 {
                let message = format!("the roof \"{}\" is {value}, it must be positive", roof.name);
                return Err(formula.text.error(message));
            }
            match roof.limit {
                Limit::Work(_) => work.push((&roof.name, value)),
                Limit::Bytes(_) => bytes.push((&roof.name, value)),
            }
        }
        let highest = |limits: &[(&String, f64)]| {
            limits
                .iter()
                .map(|(_, value)| *value)
                .fold(f64::NEG_INFINITY, f64::max)
        };
        if work.is_empty() || bytes.is_empty() {
            let message =
                "a roofline needs a [[roof]] with `work_per_s` and one with `bytes_per_s`";
            return Err(self.here.error(message));
        }
        let (most_work, most_bytes) = (highest(&work), highest(&bytes));
        let ridges = bytes.iter().map(|(_, bytes)| most_work / bytes);
        let all: Vec<f64> = ridges.chain(places.iter().copied()).collect();
        let first = all.iter().copied().fold(f64::INFINITY, f64::min) / ROOM;
        let last = all.iter().copied().fold(0.0, f64::max) * ROOM;
        let slopes = bytes.iter().map(|(name, bytes)| Curve {
            name: Some((*name).clone()),
            points: vec![(first, first * bytes), (most_work / bytes, most_work)],
        });
        let flats = work.iter().map(|(name, work)| Curve {
            name: Some((*name).clone()),
            points: vec![(f64::max(first, work / most_bytes), *work), (last, *work)],
        });
        Ok(flats.chain(slopes).collect())
    }
}
