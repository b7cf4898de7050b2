//! What is refused: every way in which a figure would be empty, misleading, ambiguous or cut.

use crate::axis::is_degenerate;
use crate::canvas::Text;
use crate::error::FigureError;
use crate::figure::{Axis, BarPlot, LinePlot, Page, Scale};
use crate::font;
use crate::frame::Drawing;
use crate::gantt::GanttPlot;
use crate::heat::HeatMap;
use crate::scatter::ScatterPlot;
use crate::style;
use crate::tornado::TornadoPlot;

/// Below this the tick labels of the y axis collide, above it the figure leaves the page.
const HEIGHT_RATIO: (f64, f64) = (0.2, 2.0);

/// Beyond these, spans and steps of an axis could overflow; no physical quantity comes near.
const SMALLEST: f64 = 1e-100;
const LARGEST: f64 = 1e100;

pub(crate) fn line_plot(plot: &LinePlot) -> Result<(), FigureError> {
    page(&plot.page)?;
    axis(&plot.x)?;
    axis(&plot.y)?;
    names(plot.series.iter().map(|series| series.name.as_str()))?;
    for series in &plot.series {
        let what = format!("series \"{}\"", series.name);
        if series.points.is_empty() {
            return Err(FigureError::EmptySeries {
                series: series.name.clone(),
            });
        }
        for &(x, y) in &series.points {
            value(&plot.x, &what, x)?;
            value(&plot.y, &what, y)?;
        }
        let heights = series.points.iter().map(|&(_, y)| y);
        error_intervals(&plot.y, &series.name, heights, series.error.as_deref())?;
    }
    for marker in &plot.markers {
        text("the label of a marker", &marker.label)?;
        let what = format!("marker \"{}\"", marker.label);
        value(&plot.x, &what, marker.x)?;
        value(&plot.y, &what, marker.y)?;
    }
    Ok(())
}

pub(crate) fn bar_plot(plot: &BarPlot) -> Result<(), FigureError> {
    page(&plot.page)?;
    axis(&plot.y)?;
    match (plot.y.scale, plot.y.range) {
        (Scale::Log2 | Scale::Log10, _) => return Err(FigureError::LogBars),
        (Scale::Linear, Some((lo, _))) if lo != 0.0 => {
            return Err(FigureError::BarsNotFromZero { lo });
        }
        (Scale::Linear, _) => {}
    }
    if let Some(label) = &plot.x_label {
        text("the label of the x axis", label)?;
    }
    if plot.categories.is_empty() {
        return Err(FigureError::NoCategories);
    }
    for category in &plot.categories {
        text("the name of a category", category)?;
    }
    names(plot.series.iter().map(|series| series.name.as_str()))?;
    for series in &plot.series {
        if series.values.len() != plot.categories.len() {
            return Err(FigureError::ValuesLength {
                series: series.name.clone(),
                values: series.values.len(),
                categories: plot.categories.len(),
            });
        }
        let what = format!("series \"{}\"", series.name);
        for &length in &series.values {
            finite(&what, length)?;
            if length < 0.0 {
                return Err(FigureError::NegativeBar {
                    series: series.name.clone(),
                    value: length,
                });
            }
        }
        let lengths = series.values.iter().copied();
        error_intervals(&plot.y, &series.name, lengths, series.error.as_deref())?;
    }
    for (category, top) in plot.categories.iter().zip(plot.tops()) {
        value(&plot.y, &format!("category \"{category}\""), top)?;
    }
    Ok(())
}

pub(crate) fn scatter_plot(plot: &ScatterPlot) -> Result<(), FigureError> {
    page(&plot.page)?;
    for each in [Some(&plot.x), Some(&plot.y), plot.color.as_ref()]
        .into_iter()
        .flatten()
    {
        axis(each)?;
    }
    names(plot.groups.iter().map(|group| group.name.as_str()))?;
    for curve in &plot.curves {
        text("the name of a curve", curve.name.as_deref().unwrap_or("-"))?;
        for &(x, y) in &curve.points {
            value(&plot.x, "a curve", x)?;
            value(&plot.y, "a curve", y)?;
        }
    }
    if plot.curves.len() > style::COUNT {
        return Err(FigureError::TooManySeries {
            count: plot.curves.len(),
            max: style::COUNT,
        });
    }
    for group in &plot.groups {
        let what = format!("group \"{}\"", group.name);
        if group.points.is_empty() {
            return Err(FigureError::EmptySeries {
                series: group.name.clone(),
            });
        }
        for point in &group.points {
            value(&plot.x, &what, point.x)?;
            value(&plot.y, &what, point.y)?;
            let x_error = point.x_error.as_slice();
            let y_error = point.y_error.as_slice();
            for (axis, at, error) in [(&plot.x, point.x, x_error), (&plot.y, point.y, y_error)] {
                if !error.is_empty() {
                    error_intervals(axis, &group.name, [at].into_iter(), Some(error))?;
                }
            }
            if let Some(label) = &point.label {
                text("the label of a point", label)?;
            }
            if let Some((axis, color)) = plot.color.as_ref().zip(point.color) {
                value(axis, &what, color)?;
            }
        }
    }
    Ok(())
}

pub(crate) fn heat_map(plot: &HeatMap) -> Result<(), FigureError> {
    page(&plot.page)?;
    axis(&plot.value)?;
    text("the label of the x axis", &plot.x_label)?;
    text("the label of the y axis", &plot.y_label)?;
    for name in plot.columns.iter().chain(&plot.rows) {
        text("the name of a row or column", name)?;
    }
    let (columns, rows) = (plot.columns.len(), plot.rows.len());
    let fits = plot.cells.len() == rows && plot.cells.iter().all(|row| row.len() == columns);
    if !fits || columns == 0 || rows == 0 {
        return Err(FigureError::HeatShape { columns, rows });
    }
    if plot.values().next().is_none() {
        return Err(FigureError::NoValues);
    }
    plot.values()
        .try_for_each(|shown| value(&plot.value, "a cell of the map", shown))
}

pub(crate) fn tornado_plot(plot: &TornadoPlot) -> Result<(), FigureError> {
    page(&plot.page)?;
    axis(&plot.x)?;
    value(&plot.x, "the nominal value", plot.nominal)?;
    if plot.bars.is_empty() {
        return Err(FigureError::NoCategories);
    }
    for (index, bar) in plot.bars.iter().enumerate() {
        text("the name of a parameter", &bar.name)?;
        if plot.bars[..index]
            .iter()
            .any(|other| other.name == bar.name)
        {
            return Err(FigureError::DuplicateSeries {
                name: bar.name.clone(),
            });
        }
        value(&plot.x, &bar.name, bar.low)?;
        value(&plot.x, &bar.name, bar.high)?;
    }
    Ok(())
}

pub(crate) fn gantt_plot(plot: &GanttPlot) -> Result<(), FigureError> {
    page(&plot.page)?;
    axis(&plot.x)?;
    names(plot.kinds.iter().map(String::as_str))?;
    if plot.machines.is_empty() || plot.spans.is_empty() {
        return Err(FigureError::NoCategories);
    }
    for name in &plot.machines {
        text("the name of a machine", name)?;
    }
    for span in &plot.spans {
        let known = span.machine < plot.machines.len() && span.kind < plot.kinds.len();
        if !known {
            return Err(FigureError::UnknownSpan {
                machine: span.machine,
                kind: span.kind,
            });
        }
        value(&plot.x, "the start of a span", span.start)?;
        value(&plot.x, "the end of a span", span.end)?;
    }
    Ok(())
}

/// The last check: a text that crosses the edge of the page would be cut, one that covers another unreadable.
pub(crate) fn texts_readable(drawing: &Drawing) -> Result<(), FigureError> {
    /// The boxes of texts include the room for accents and descenders, which may interlock a little [pt].
    const SLACK: f64 = 0.5;
    let texts: Vec<&Text> = drawing.canvas.texts().collect();
    for (index, text) in texts.iter().enumerate() {
        if !drawing.page.contains(text.bounds()) {
            return Err(FigureError::TextDoesNotFit {
                text: text.text.clone(),
            });
        }
        let bounds = text.bounds().grown(-SLACK);
        if let Some(other) = texts[..index]
            .iter()
            .find(|other| bounds.overlaps(other.bounds()))
        {
            return Err(FigureError::TextsCollide {
                first: other.text.clone(),
                second: text.text.clone(),
            });
        }
    }
    Ok(())
}

fn page(page: &Page) -> Result<(), FigureError> {
    if let Some(title) = &page.title {
        text("the title", title)?;
    }
    let (min, max) = HEIGHT_RATIO;
    if !(min..=max).contains(&page.height_ratio) {
        return Err(FigureError::HeightRatio {
            ratio: page.height_ratio,
            min,
            max,
        });
    }
    Ok(())
}

fn axis(axis: &Axis) -> Result<(), FigureError> {
    text("the label of an axis", &axis.label)?;
    if let Some(unit) = &axis.unit {
        text(&format!("the unit of axis \"{}\"", axis.label), unit)?;
    }
    if let Some((lo, hi)) = axis.range {
        let what = format!("the range of axis \"{}\"", axis.label);
        for end in [lo, hi] {
            finite(&what, end)?;
            positive_on_log(axis, &what, end)?;
        }
        if is_degenerate(lo, hi) {
            return Err(FigureError::BadRange {
                axis: axis.label.clone(),
                lo,
                hi,
            });
        }
    }
    Ok(())
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), FigureError> {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        return Err(FigureError::NoSeries);
    }
    if names.len() > style::COUNT {
        return Err(FigureError::TooManySeries {
            count: names.len(),
            max: style::COUNT,
        });
    }
    for (index, name) in names.iter().enumerate() {
        text("the name of a series", name)?;
        if names[..index].contains(name) {
            return Err(FigureError::DuplicateSeries {
                name: (*name).to_owned(),
            });
        }
    }
    Ok(())
}

fn text(what: &str, text: &str) -> Result<(), FigureError> {
    if text.trim().is_empty() {
        return Err(FigureError::EmptyText {
            what: what.to_owned(),
        });
    }
    match font::missing_glyph(text) {
        Some(character) => Err(FigureError::MissingGlyph {
            text: text.to_owned(),
            character,
        }),
        None => Ok(()),
    }
}

fn value(axis: &Axis, what: &str, value: f64) -> Result<(), FigureError> {
    finite(what, value)?;
    positive_on_log(axis, &format!("{what}, axis \"{}\",", axis.label), value)?;
    match axis.range {
        Some((lo, hi)) if !(lo..=hi).contains(&value) => Err(FigureError::OutsideRange {
            what: what.to_owned(),
            value,
            axis: axis.label.clone(),
            lo,
            hi,
        }),
        Some(_) | None => Ok(()),
    }
}

fn finite(what: &str, value: f64) -> Result<(), FigureError> {
    if !value.is_finite() {
        return Err(FigureError::NotFinite {
            what: what.to_owned(),
            value,
        });
    }
    if value != 0.0 && !(SMALLEST..=LARGEST).contains(&value.abs()) {
        return Err(FigureError::Extreme {
            what: what.to_owned(),
            value,
        });
    }
    Ok(())
}

fn positive_on_log(axis: &Axis, what: &str, value: f64) -> Result<(), FigureError> {
    match axis.scale {
        Scale::Log2 | Scale::Log10 if value <= 0.0 => Err(FigureError::NotPositive {
            what: what.to_owned(),
            value,
        }),
        Scale::Linear | Scale::Log2 | Scale::Log10 => Ok(()),
    }
}

fn error_intervals(
    y: &Axis,
    name: &str,
    values: impl ExactSizeIterator<Item = f64>,
    intervals: Option<&[(f64, f64)]>,
) -> Result<(), FigureError> {
    let Some(intervals) = intervals else {
        return Ok(());
    };
    if intervals.len() != values.len() {
        return Err(FigureError::ErrorLength {
            series: name.to_owned(),
            points: values.len(),
            intervals: intervals.len(),
        });
    }
    let what = format!("the error interval of series \"{name}\"");
    for (&(lo, hi), point) in intervals.iter().zip(values) {
        value(y, &what, lo)?;
        value(y, &what, hi)?;
        if !(lo..=hi).contains(&point) {
            return Err(FigureError::ErrorInterval {
                series: name.to_owned(),
                lo,
                hi,
                value: point,
            });
        }
    }
    Ok(())
}
