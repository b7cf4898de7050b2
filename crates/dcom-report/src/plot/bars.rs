//! `kind = "stacked"`, the parts of a whole, and `kind = "bars"`, values side by side with their ranges.

use super::error::PlotError;
use super::expr::Expr;
use super::rows::{Row, Rows};
use super::section::{At, Section};
use super::spec::{AxisSpec, Kind, Series, ambiguous, interval, wording};
use crate::figure::{Arrangement, Axis, BarPlot, BarSeries, Figure, Page};

#[derive(Debug)]
struct Stacked {
    x: At<String>,
    x_label: Option<String>,
    y_axis: AxisSpec,
    parts: Vec<Expr>,
    names: Option<Vec<At<String>>>,
    share: bool,
}

pub(crate) fn read_stacked(section: &Section<'_>) -> Result<Box<dyn Kind>, PlotError> {
    let (x, parts) = (section.text("x")?, section.texts("parts")?);
    let names = section.texts("part_names")?;
    let x_label = section.text("x_label")?.map(|label| label.value);
    let y_axis = AxisSpec::words(section, "y")?;
    let share = section.flag("share")?;
    section.finish()?;
    let parts = section.required("parts", parts)?;
    if let Some(names) = names.as_ref().filter(|names| names.len() != parts.len()) {
        let message = format!("{} `part_names` for {} `parts`", names.len(), parts.len());
        return Err(names
            .first()
            .map_or(section.here(), |name| name.with(()))
            .error(message));
    }
    Ok(Box::new(Stacked {
        x: section.required("x", x)?,
        x_label,
        y_axis,
        parts: parts
            .into_iter()
            .map(Expr::parse)
            .collect::<Result<_, _>>()?,
        names,
        share,
    }))
}

impl Kind for Stacked {
    fn columns(&self) -> Vec<&At<String>> {
        let parts = self.parts.iter().flat_map(Expr::columns);
        std::iter::once(&self.x).chain(parts).collect()
    }

    fn figure(&self, page: Page, rows: &Rows<'_>) -> Result<Figure, PlotError> {
        let mut categories = Vec::new();
        let mut values: Vec<Vec<f64>> = self.parts.iter().map(|_| Vec::new()).collect();
        for (key, group) in rows.groups(std::slice::from_ref(&self.x)) {
            let row = only(&group, &format!("{} = {}", self.x.value, key[0]))?;
            let parts: Vec<f64> = self
                .parts
                .iter()
                .map(|part| row.number(part))
                .collect::<Result<_, _>>()?;
            let whole: f64 = parts.iter().sum();
            if self.share && whole <= 0.0 {
                return Err(row.error(format!("the parts add up to {whole}, which has no shares")));
            }
            for (list, part) in values.iter_mut().zip(parts) {
                list.push(if self.share {
                    100.0 * part / whole
                } else {
                    part
                });
            }
            categories.push(key[0].to_owned());
        }
        let y = if self.share {
            let axis = self.y_axis.with("share".to_owned(), Some("%".to_owned()));
            axis.range(0.0, 100.0)
        } else {
            let (_, unit) = wording(&self.parts[0].text.value);
            self.y_axis.with("sum".to_owned(), unit)
        };
        let y = Axis {
            // Shares may exceed 100 % by rounding of the sum.
            range: y.range.map(|(lo, hi)| (lo, hi * (1.0 + 1e-12))),
            ..y
        };
        let named = self.parts.iter().zip(values).enumerate();
        let series = named.map(|(index, (part, values))| {
            let name = self.names.as_ref().map(|names| names[index].value.clone());
            BarSeries::new(name.unwrap_or_else(|| wording(&part.text.value).0), values)
        });
        Ok(Figure::from(BarPlot {
            page,
            x_label: Some(self.x_label.clone().unwrap_or_else(|| label(&self.x.value))),
            y,
            arrangement: Arrangement::Stacked,
            categories,
            series: series.collect(),
        }))
    }
}

#[derive(Debug)]
struct Grouped {
    x: At<String>,
    x_label: Option<String>,
    y: Expr,
    y_axis: AxisSpec,
    interval: Option<(Expr, Expr)>,
    series: Series,
}

pub(crate) fn read_grouped(section: &Section<'_>) -> Result<Box<dyn Kind>, PlotError> {
    let (x, y) = (section.text("x")?, section.formula("y")?);
    let interval = interval(section, ["low", "high"])?;
    let series = Series::read(section)?;
    let x_label = section.text("x_label")?.map(|label| label.value);
    let y_axis = AxisSpec::words(section, "y")?;
    section.finish()?;
    Ok(Box::new(Grouped {
        x: section.required("x", x)?,
        x_label,
        y: Expr::parse(section.required("y", y)?)?,
        y_axis,
        interval,
        series,
    }))
}

impl Kind for Grouped {
    fn columns(&self) -> Vec<&At<String>> {
        let ends = self.interval.iter().flat_map(|(low, high)| [low, high]);
        let formulas = std::iter::once(&self.y).chain(ends).flat_map(Expr::columns);
        std::iter::once(&self.x)
            .chain(&self.series.columns)
            .chain(formulas)
            .collect()
    }

    fn figure(&self, page: Page, rows: &Rows<'_>) -> Result<Figure, PlotError> {
        let y = self.y_axis.axis(&self.y.text.value);
        let categories: Vec<&str> = rows
            .groups(std::slice::from_ref(&self.x))
            .into_iter()
            .map(|(key, _)| key[0])
            .collect();
        let mut series = Vec::new();
        for (key, group) in rows.groups(&self.series.columns) {
            let name = self.series.name(&key, &y.label);
            let mut bars = BarSeries::new(name, []);
            let mut ends = Vec::new();
            for category in &categories {
                let place = format!("{} = {category} of \"{}\"", self.x.value, bars.name);
                let here: Vec<Row<'_>> = group
                    .iter()
                    .filter(|row| row.text(&self.x) == *category)
                    .copied()
                    .collect();
                if here.is_empty() {
                    return Err(self.x.error(format!(
                        "{place} has no result, so its bar would look like zero; leave it out with [filter]"
                    )));
                }
                let row = only(&here, &place)?;
                bars.values.push(row.number(&self.y)?);
                if let Some((low, high)) = &self.interval {
                    ends.push((row.number(low)?, row.number(high)?));
                }
            }
            bars.error = self.interval.is_some().then_some(ends);
            series.push(bars);
        }
        Ok(Figure::from(BarPlot {
            page,
            x_label: Some(self.x_label.clone().unwrap_or_else(|| label(&self.x.value))),
            y,
            arrangement: Arrangement::Grouped,
            categories: categories.into_iter().map(str::to_owned).collect(),
            series,
        }))
    }
}

/// The one row of a place.
fn only<'a>(rows: &[Row<'a>], place: &str) -> Result<Row<'a>, PlotError> {
    match rows {
        [row] => Ok(*row),
        [first, second, ..] => Err(ambiguous(first, second, place)),
        [] => unreachable!("groups have rows"),
    }
}

/// A column in words with its unit.
pub(crate) fn label(column: &str) -> String {
    match wording(column) {
        (label, Some(unit)) => format!("{label} ({unit})"),
        (label, None) => label,
    }
}
