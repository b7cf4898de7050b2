//! What a figure is: plain data, checked when it is drawn.
//!
//! Sizes are those of the IEEE two-column format: 3.5 in for one column, 7.16 in for both.

use std::path::Path;

use crate::error::FigureError;
use crate::file::write_atomic;
use crate::gantt::GanttPlot;
use crate::heat::HeatMap;
use crate::scatter::ScatterPlot;
use crate::tornado::TornadoPlot;
use crate::{bars, check, export, gantt, heat, line, pdf, scatter, tornado};

/// A figure of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    /// Lines over a numeric axis.
    Line(LinePlot),
    /// Bars over categories.
    Bars(BarPlot),
    /// Points and curves, such as a roofline or a Pareto front.
    Scatter(ScatterPlot),
    /// A value over two categories, as colour.
    Heat(HeatMap),
    /// What a result owes to each parameter.
    Tornado(TornadoPlot),
    /// Which machine did what, when.
    Gantt(GanttPlot),
}

/// Series of points joined by lines.
#[derive(Debug, Clone, PartialEq)]
pub struct LinePlot {
    /// Size, title and provenance.
    pub page: Page,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// At least one; the n-th series of every figure has the same colour, dash pattern and marker.
    pub series: Vec<Series>,
    /// Single points to compare with, such as values of the paper.
    pub markers: Vec<Marker>,
}

/// Bars over categories, of one value per category and series. All values are lengths: finite and not negative.
#[derive(Debug, Clone, PartialEq)]
pub struct BarPlot {
    /// Size, title and provenance.
    pub page: Page,
    /// What the categories are; none if their names say it.
    pub x_label: Option<String>,
    /// The vertical axis: linear, from zero.
    pub y: Axis,
    /// How the series of one category share its place.
    pub arrangement: Arrangement,
    /// The names below the bars.
    pub categories: Vec<String>,
    /// At least one.
    pub series: Vec<BarSeries>,
}

/// How bars of the same category are placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// On top of each other, the first series at the bottom: for parts of a whole.
    Stacked,
    /// Side by side: for comparisons.
    Grouped,
}

/// What every kind of figure has.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// A line above the plot; papers usually have a caption instead.
    pub title: Option<String>,
    /// The width of the figure in print.
    pub width: Width,
    /// Height of the plot area (without labels and legend) over its width, so that a long legend never squeezes the data.
    pub height_ratio: f64,
    /// Where the data comes from (version, config hash, seed): stored inside the file, not drawn.
    pub provenance: Option<String>,
}

impl Default for Page {
    /// One column, without a title, with a plot area of about the golden ratio.
    fn default() -> Self {
        Self {
            title: None,
            width: Width::SingleColumn,
            height_ratio: 0.62,
            provenance: None,
        }
    }
}

/// The width of a figure in print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// 3.5 in.
    SingleColumn,
    /// 7.16 in.
    DoubleColumn,
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The quantity.
    pub label: String,
    /// Its unit, written in parentheses; none for counts and ratios.
    pub unit: Option<String>,
    /// How values map to places.
    pub scale: Scale,
    /// First and last value; without it the axis fits the data, from zero where a linear axis would start near it. A range that
    /// hides data is an error.
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// An axis that fits its data and has no unit.
    #[must_use]
    pub fn new(label: impl Into<String>, scale: Scale) -> Self {
        Self {
            label: label.into(),
            unit: None,
            scale,
            range: None,
        }
    }

    /// The same axis with a unit.
    #[must_use]
    pub fn unit(self, unit: impl Into<String>) -> Self {
        Self {
            unit: Some(unit.into()),
            ..self
        }
    }

    /// The same axis from `lo` to `hi`.
    #[must_use]
    pub fn range(self, lo: f64, hi: f64) -> Self {
        Self {
            range: Some((lo, hi)),
            ..self
        }
    }

    /// `latency (us)`.
    pub(crate) fn caption(&self) -> String {
        match &self.unit {
            Some(unit) => format!("{} ({unit})", self.label),
            None => self.label.clone(),
        }
    }
}

/// How the values of an axis map to places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equal distances.
    Linear,
    /// Equal ratios are equal distances; ticks at powers of two.
    Log2,
    /// Equal ratios are equal distances; ticks at 1, 2 and 5 of each decade, as far as there is room.
    Log10,
}

/// Points joined in the order given.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The legend entry.
    pub name: String,
    /// (x, y) in the units of the axes; at least one.
    pub points: Vec<(f64, f64)>,
    /// For each point, the lower and upper end of the interval around its y value.
    pub error: Option<Vec<(f64, f64)>>,
    /// How the intervals are drawn.
    pub interval: Interval,
}

/// How intervals around the points of a line are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// A bar at each point.
    Bars,
    /// An area along the line.
    Band,
}

impl Series {
    /// A series without error intervals.
    #[must_use]
    pub fn new(name: impl Into<String>, points: impl Into<Vec<(f64, f64)>>) -> Self {
        Self {
            name: name.into(),
            points: points.into(),
            error: None,
            interval: Interval::Bars,
        }
    }
}

/// An annotated point.
#[derive(Debug, Clone, PartialEq)]
pub struct Marker {
    /// Place on the x axis, in its unit.
    pub x: f64,
    /// Place on the y axis, in its unit.
    pub y: f64,
    /// The text beside the point.
    pub label: String,
}

/// One value per category.
#[derive(Debug, Clone, PartialEq)]
pub struct BarSeries {
    /// The legend entry.
    pub name: String,
    /// In the order of the categories, in the unit of the y axis.
    pub values: Vec<f64>,
    /// For each value of a grouped plot, the lower and upper end of the interval around it.
    pub error: Option<Vec<(f64, f64)>>,
}

impl BarSeries {
    /// A series of bars.
    #[must_use]
    pub fn new(name: impl Into<String>, values: impl Into<Vec<f64>>) -> Self {
        Self {
            name: name.into(),
            values: values.into(),
            error: None,
        }
    }
}

impl From<LinePlot> for Figure {
    fn from(plot: LinePlot) -> Self {
        Self::Line(plot)
    }
}

impl From<BarPlot> for Figure {
    fn from(plot: BarPlot) -> Self {
        Self::Bars(plot)
    }
}

impl From<ScatterPlot> for Figure {
    fn from(plot: ScatterPlot) -> Self {
        Self::Scatter(plot)
    }
}

impl From<HeatMap> for Figure {
    fn from(plot: HeatMap) -> Self {
        Self::Heat(plot)
    }
}

impl From<TornadoPlot> for Figure {
    fn from(plot: TornadoPlot) -> Self {
        Self::Tornado(plot)
    }
}

impl From<GanttPlot> for Figure {
    fn from(plot: GanttPlot) -> Self {
        Self::Gantt(plot)
    }
}

impl Figure {
    /// Writes the figure to a file whose name ends in `.svg`, `.pdf` or `.png`; a PNG has 300 dots per inch.
    ///
    /// # Errors
    /// Any [`FigureError`]; the file at `path`, if there was one, is then unchanged.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), FigureError> {
        let path = path.as_ref();
        let bytes = match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => self.to_svg()?.into_bytes(),
            Some("pdf") => self.to_pdf()?,
            Some("png") => self.to_png()?,
            Some(_) | None => {
                return Err(FigureError::UnknownFormat {
                    path: path.to_owned(),
                });
            }
        };
        Ok(write_atomic(path, &bytes)?)
    }

    /// The figure as SVG whose texts are outlines, so that it looks the same everywhere.
    ///
    /// # Errors
    /// Any [`FigureError`] about the data or the drawing.
    pub fn to_svg(&self) -> Result<String, FigureError> {
        export::svg(&self.drawing()?, self)
    }

    /// The figure as PDF of the size in print, whose texts are texts in an embedded font.
    ///
    /// # Errors
    /// Any [`FigureError`] about the data or the drawing.
    pub fn to_pdf(&self) -> Result<Vec<u8>, FigureError> {
        pdf::write(&self.drawing()?, self)
    }

    /// The figure as PNG with 300 dots per inch.
    ///
    /// # Errors
    /// Any [`FigureError`] about the data or the drawing.
    pub fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        export::png(&self.drawing()?, self)
    }

    pub(crate) fn page(&self) -> &Page {
        match self {
            Self::Line(plot) => &plot.page,
            Self::Bars(plot) => &plot.page,
            Self::Scatter(plot) => &plot.page,
            Self::Heat(plot) => &plot.page,
            Self::Tornado(plot) => &plot.page,
            Self::Gantt(plot) => &plot.page,
        }
    }

    /// One sentence for readers who cannot see the figure.
    pub(crate) fn summary(&self) -> String {
        let over = |y: &Axis, x: String, names: Vec<&str>| {
            format!("{} over {x}: {}", y.caption(), names.join("; "))
        };
        match self {
            Self::Line(plot) => over(
                &plot.y,
                plot.x.caption(),
                plot.series
                    .iter()
                    .map(|series| series.name.as_str())
                    .collect(),
            ),
            Self::Bars(plot) => over(
                &plot.y,
                plot.categories.join(", "),
                plot.series
                    .iter()
                    .map(|series| series.name.as_str())
                    .collect(),
            ),
            Self::Scatter(plot) => over(
                &plot.y,
                plot.x.caption(),
                plot.groups
                    .iter()
                    .map(|group| group.name.as_str())
                    .collect(),
            ),
            Self::Heat(plot) => over(
                &plot.value,
                format!("{} and {}", plot.x_label, plot.y_label),
                vec!["a map"],
            ),
            Self::Tornado(plot) => format!(
                "{} for the ends of the range of each parameter",
                plot.x.caption()
            ),
            Self::Gantt(plot) => format!(
                "{} of {} on {}",
                plot.x.caption(),
                plot.kinds.join("; "),
                plot.machines.join(", ")
            ),
        }
    }

    pub(crate) fn drawing(&self) -> Result<crate::frame::Drawing, FigureError> {
        let drawing = match self {
            Self::Line(plot) => {
                check::line_plot(plot)?;
                line::draw(plot)
            }
            Self::Bars(plot) => {
                check::bar_plot(plot)?;
                bars::draw(plot)
            }
            Self::Scatter(plot) => {
                check::scatter_plot(plot)?;
                scatter::draw(plot)
            }
            Self::Heat(plot) => {
                check::heat_map(plot)?;
                heat::draw(plot)
            }
            Self::Tornado(plot) => {
                check::tornado_plot(plot)?;
                tornado::draw(plot)
            }
            Self::Gantt(plot) => {
                check::gantt_plot(plot)?;
                gantt::draw(plot)
            }
        };
        check::texts_readable(&drawing)?;
        Ok(drawing)
    }
}
