//! `kind = "line"`: any number over any other, one line per group of rows.

use super::error::PlotError;
use super::expr::Expr;
use super::rows::{Row, Rows};
use super::section::{At, Section};
use super::spec::{AxisSpec, Kind, Series, ambiguous, interval};
use crate::figure::{Figure, Interval, LinePlot, Marker, Page, Series as Line};

#[derive(Debug)]
struct Spec {
    x: Expr,
    y: Expr,
    interval: Option<(Expr, Expr)>,
    drawn: Interval,
    series: Series,
    x_axis: AxisSpec,
    y_axis: AxisSpec,
    relative: Option<Relative>,
    markers: Vec<Marker>,
}

/// Values as ratios to the one of the same line at a place.
#[derive(Debug)]
struct Relative {
    x: At<f64>,
    how: Ratio,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ratio {
    /// The value over that at the place: growth of a rate.
    Ratio,
    /// The value at the place over the value: gain of a time.
    SpeedUp,
}

pub(crate) fn read(section: &Section<'_>) -> Result<Box<dyn Kind>, PlotError> {
    let drawn = section.choice(
        "interval",
        &[("bars", Interval::Bars), ("band", Interval::Band)],
    )?;
    let ratios = [("ratio", Ratio::Ratio), ("speed-up", Ratio::SpeedUp)];
    let how = section.choice("relative_as", &ratios)?;
    let relative = section.number("relative_to")?.map(|x| Relative {
        x,
        how: how.as_ref().map_or(Ratio::Ratio, |how| how.value),
    });
    if let (Some(how), None) = (&how, &relative) {
        return Err(how.error("`relative_as` needs `relative_to`: the x value of the base"));
    }
    let (x_axis, y_axis) = (AxisSpec::read(section, "x")?, AxisSpec::read(section, "y")?);
    let series = Series::read(section)?;
    let interval = interval(section, ["low", "high"])?;
    let markers = section.sections("marker", "[[marker]]")?;
    let markers = markers.iter().map(read_marker).collect::<Result<_, _>>()?;
    let (x, y) = (section.formula("x")?, section.formula("y")?);
    section.finish()?;
    Ok(Box::new(Spec {
        x: Expr::parse(section.required("x", x)?)?,
        y: Expr::parse(section.required("y", y)?)?,
        interval,
        drawn: drawn.map_or(Interval::Bars, |drawn| drawn.value),
        series,
        x_axis,
        y_axis,
        relative,
        markers,
    }))
}

fn read_marker(section: &Section<'_>) -> Result<Marker, PlotError> {
    let (x, y, label) = (
        section.number("x")?,
        section.number("y")?,
        section.text("label")?,
    );
    section.finish()?;
    Ok(Marker {
        x: section.required("x", x)?.value,
        y: section.required("y", y)?.value,
        label: section.required("label", label)?.value,
    })
}

/// A point before it is drawn: x, y and the interval.
#[derive(Clone, Copy)]
struct Point<'a> {
    row: Row<'a>,
    x: f64,
    y: f64,
    ends: Option<(f64, f64)>,
}

impl Kind for Spec {
    fn columns(&self) -> Vec<&At<String>> {
        let ends = self.interval.iter().flat_map(|(low, high)| [low, high]);
        let formulas = [&self.x, &self.y].into_iter().chain(ends);
        let columns = formulas.flat_map(Expr::columns);
        columns.chain(&self.series.columns).collect()
    }

    fn figure(&self, page: Page, rows: &Rows<'_>) -> Result<Figure, PlotError> {
        let y_axis = match &self.relative {
            None => self.y_axis.axis(&self.y.text.value),
            Some(relative) => {
                let what = match relative.how {
                    Ratio::Ratio => "ratio",
                    Ratio::SpeedUp => "speed-up",
                };
                let (x, _) = super::spec::wording(&self.x.text.value);
                self.y_axis
                    .with(format!("{what} over {x} {}", relative.x.value), None)
            }
        };
        let mut series = Vec::new();
        for (key, group) in rows.groups(&self.series.columns) {
            let name = self.series.name(&key, &y_axis.label);
            let points = self.points(&name, &group)?;
            let ends = points.iter().map(|point| point.ends);
            series.push(Line {
                name,
                points: points.iter().map(|point| (point.x, point.y)).collect(),
                error: ends.collect(),
                interval: self.drawn,
            });
        }
        Ok(Figure::from(LinePlot {
            page,
            x: self.x_axis.axis(&self.x.text.value),
            y: y_axis,
            series,
            markers: self.markers.clone(),
        }))
    }
}

impl Spec {
    /// From left to right.
    fn points<'a>(&self, name: &str, group: &[Row<'a>]) -> Result<Vec<Point<'a>>, PlotError> {
        let mut points = Vec::new();
        for &row in group {
            let ends = match &self.interval {
                Some((low, high)) => Some((row.number(low)?, row.number(high)?)),
                None => None,
            };
            points.push(Point {
                row,
                x: row.number(&self.x)?,
                y: row.number(&self.y)?,
                ends,
            });
        }
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        if let Some(pair) = points.windows(2).find(|pair| pair[0].x == pair[1].x) {
            let place = format!("{} = {} of \"{name}\"", self.x.text.value, pair[0].x);
            return Err(ambiguous(&pair[0].row, &pair[1].row, &place));
        }
        let Some(Relative { x, how }) = &self.relative else {
            return Ok(points);
        };
        let base = points.iter().find(|point| point.x == x.value);
        let base = base.ok_or_else(|| {
            x.error(format!(
                "\"{name}\" has no result at {} = {} to relate to",
                self.x.text.value, x.value
            ))
        })?;
        let base = base.y;
        let ratio = |y: f64| match how {
            Ratio::Ratio => y / base,
            Ratio::SpeedUp => base / y,
        };
        let related = points.iter().map(|point| Point {
            y: ratio(point.y),
            ends: point.ends.map(|(low, high)| {
                let (low, high) = (ratio(low), ratio(high));
                (low.min(high), low.max(high))
            }),
            ..*point
        });
        Ok(related.collect())
    }
}
