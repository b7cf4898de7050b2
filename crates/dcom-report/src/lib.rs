//! Records to tables (CSV, Markdown, terminal text) and to figures (SVG, PDF, PNG) for papers.
//!
//! A figure is data: fill in a [`LinePlot`] or a [`BarPlot`], then [`Figure::write`] it. The bytes depend on that data
//! alone, not on installed fonts, the locale or the clock. Nothing is dropped or clamped to make a figure look right:
//! what cannot be drawn faithfully is a [`FigureError`].
//!
//! ```
//! use dcom_report::{Axis, Figure, LinePlot, Page, Scale, Series};
//!
//! # fn main() -> Result<(), dcom_report::FigureError> {
//! let figure = Figure::from(LinePlot {
//!     page: Page::default(),
//!     x: Axis::new("expansion factor", Scale::Log2),
//!     y: Axis::new("latency", Scale::Log10).unit("us"),
//!     series: vec![Series::new("4 clusters", [(1.0, 2500.0), (2.0, 1400.0), (4.0, 900.0)])],
//!     markers: vec![],
//! });
//! assert!(figure.to_svg()?.starts_with("<svg"));
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: `figure` (what can be asked for), `check` (what is refused), `axis` and `frame` (where things go),
//! `line`, `bars`, `scatter`, `heat`, `tornado` and `gantt` (what is drawn there), `canvas`, `export` and
//! `pdf` (how that becomes bytes). `plot` makes figures from result files as a TOML file says.

mod axis;
mod bars;
mod canvas;
mod check;
mod colormap;
mod error;
mod export;
mod figure;
mod file;
mod font;
mod frame;
mod gantt;
mod geometry;
mod heat;
mod legend;
mod line;
mod note;
mod number;
mod pdf;
pub mod plot;
mod scatter;
mod style;
mod table;
mod tornado;

#[cfg(test)]
mod tests;

pub use error::{FigureError, TableError, WriteError};
pub use figure::{
    Arrangement, Axis, BarPlot, BarSeries, Figure, Interval, LinePlot, Marker, Page, Scale, Series,
    Width,
};
pub use file::write_atomic;
pub use gantt::{GanttPlot, GanttSpan};
pub use heat::{HeatCell, HeatMap};
pub use number::{engineering, significant, thousands};
pub use scatter::{Curve, PointGroup, ScatterPlot, ScatterPoint};
pub use table::{Cell, Column, Table};
pub use tornado::{TornadoBar, TornadoPlot};
