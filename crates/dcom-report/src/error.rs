//! What can go wrong while writing files, tables and figures. Every message names the offending item and its value.

use std::path::PathBuf;

use thiserror::Error;

/// A file that could not be written; the file at `path`, if there was one, is unchanged.
#[derive(Debug, Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct WriteError {
    /// The file that was to be written.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: std::io::Error,
}

/// A table that cannot be built or written.
#[derive(Debug, Error)]
pub enum TableError {
    /// A row that does not match the columns.
    #[error("the row has {cells} cells, the table has {columns} columns ({names})")]
    RowLength {
        /// Cells in the refused row.
        cells: usize,
        /// Columns of the table.
        columns: usize,
        /// The column headings, separated by commas.
        names: String,
    },
    /// A NaN or an infinity; absent values are [`crate::Cell::Missing`].
    #[error("column \"{column}\" is given {value}, which is not a number to report")]
    NotFinite {
        /// The heading of the column.
        column: String,
        /// The value.
        value: f64,
    },
    /// Zero significant digits asked for.
    #[error("column \"{column}\" is given a value with 0 significant digits; at least 1 is needed")]
    NoDigits {
        /// The heading of the column.
        column: String,
    },
    /// The CSV writer failed.
    #[error("cannot write the table as CSV: {0}")]
    Csv(#[from] csv::Error),
    /// The sink of the CSV writer failed.
    #[error("cannot write the table as CSV: {0}")]
    Io(#[from] std::io::Error),
}

/// A figure that cannot be drawn faithfully, or not be written.
#[derive(Debug, Error)]
pub enum FigureError {
    /// Nothing to draw.
    #[error("the figure has no series")]
    NoSeries,
    /// A bar plot without categories.
    #[error("the bar plot has no categories")]
    NoCategories,
    /// A span of a machine or a kind that the plot does not have.
    #[error("a span is of machine {machine} and kind {kind}, which the plot does not have")]
    UnknownSpan {
        /// Index of the machine.
        machine: usize,
        /// Index of the kind.
        kind: usize,
    },
    /// More series than can be told apart in grey.
    #[error("the figure has {count} series; at most {max} can be told apart, split the figure")]
    TooManySeries {
        /// Series given.
        count: usize,
        /// Series that have a style.
        max: usize,
    },
    /// Two series would have the same legend entry.
    #[error("two series are named \"{name}\"")]
    DuplicateSeries {
        /// The shared name.
        name: String,
    },
    /// A series without points.
    #[error("series \"{series}\" has no points")]
    EmptySeries {
        /// Its name.
        series: String,
    },
    /// A label or a name that is empty.
    #[error("{what} is empty")]
    EmptyText {
        /// Which text.
        what: String,
    },
    /// A NaN or an infinity.
    #[error("{what} has a value that is not finite: {value}")]
    NotFinite {
        /// The series, marker or setting.
        what: String,
        /// The value.
        value: f64,
    },
    /// A number that no axis can show.
    #[error("{what} has the value {value:e}; an axis can show sizes from 1e-100 to 1e100")]
    Extreme {
        /// The series, marker or setting.
        what: String,
        /// The value.
        value: f64,
    },
    /// Zero or less where only positive values have a place.
    #[error("{what} has the value {value}, which must be positive")]
    NotPositive {
        /// The series, marker or setting, and the axis.
        what: String,
        /// The value.
        value: f64,
    },
    /// A bar below zero; bars are lengths.
    #[error("series \"{series}\" has the negative value {value}; bars start at zero")]
    NegativeBar {
        /// Its name.
        series: String,
        /// The value.
        value: f64,
    },
    /// Bars on a logarithmic axis have no meaningful length.
    #[error(
        "the y axis of a bar plot must be linear: bar lengths mean nothing on a logarithmic axis"
    )]
    LogBars,
    /// A bar plot whose y range does not start at zero.
    #[error("the y range of a bar plot starts at {lo}, it must start at 0")]
    BarsNotFromZero {
        /// The start that was asked for.
        lo: f64,
    },
    /// Per-point data of another length than the points.
    #[error("series \"{series}\" has {points} points but {intervals} error intervals")]
    ErrorLength {
        /// Its name.
        series: String,
        /// Its points.
        points: usize,
        /// Its error intervals.
        intervals: usize,
    },
    /// An error interval that does not contain its point.
    #[error(
        "series \"{series}\": the error interval {lo} to {hi} does not contain the value {value}"
    )]
    ErrorInterval {
        /// Its name.
        series: String,
        /// Lower end.
        lo: f64,
        /// Upper end.
        hi: f64,
        /// The value of the point.
        value: f64,
    },
    /// A bar series whose values do not match the categories.
    #[error("series \"{series}\" has {values} values for {categories} categories")]
    ValuesLength {
        /// Its name.
        series: String,
        /// Its values.
        values: usize,
        /// Categories of the plot.
        categories: usize,
    },
    /// An axis range that is empty, reversed or too narrow for ticks.
    #[error(
        "the range of axis \"{axis}\" is {lo} to {hi}; the second must be larger by more than rounding"
    )]
    BadRange {
        /// The label of the axis.
        axis: String,
        /// Its start.
        lo: f64,
        /// Its end.
        hi: f64,
    },
    /// Data that the given axis range would hide.
    #[error(
        "{what} has the value {value}, outside the range {lo} to {hi} asked for axis \"{axis}\""
    )]
    OutsideRange {
        /// The series or marker.
        what: String,
        /// The value.
        value: f64,
        /// The label of the axis.
        axis: String,
        /// Start of the range.
        lo: f64,
        /// End of the range.
        hi: f64,
    },
    /// A character that the embedded font lacks.
    #[error("the font has no glyph for {character:?} in \"{text}\"")]
    MissingGlyph {
        /// The text.
        text: String,
        /// The character.
        character: char,
    },
    /// A text that would be cut at the edge of the figure.
    #[error("\"{text}\" does not fit into the figure; shorten it or use a wider or higher figure")]
    TextDoesNotFit {
        /// The text.
        text: String,
    },
    /// Two texts for which there is no room side by side: too many categories or annotations.
    #[error(
        "\"{first}\" and \"{second}\" would overlap; use fewer or shorter texts, or a wider or higher figure"
    )]
    TextsCollide {
        /// The text that was placed first.
        first: String,
        /// The text that found no room.
        second: String,
    },
    /// A height ratio that leaves no room.
    #[error("the height ratio is {ratio}, it must lie between {min} and {max}")]
    HeightRatio {
        /// The ratio asked for.
        ratio: f64,
        /// Smallest ratio.
        min: f64,
        /// Largest ratio.
        max: f64,
    },
    /// A file name that ends in none of .svg, .pdf and .png.
    #[error("cannot tell the format of {}: the name must end in .svg, .pdf or .png", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The drawing library failed.
    #[error("cannot draw the figure: {0}")]
    Draw(String),
    /// The SVG could not be read back for conversion.
    #[error("cannot convert the figure: {0}")]
    Svg(#[from] resvg::usvg::Error),
    /// The PDF writer failed.
    #[error("cannot write the figure as PDF: {0}")]
    Pdf(String),
    /// A map without columns or rows, or with rows of another length than the columns.
    #[error("the map needs {columns} x {rows} cells, at least one, and has rows of other lengths")]
    HeatShape {
        /// Names along the x axis.
        columns: usize,
        /// Names along the y axis.
        rows: usize,
    },
    /// A map without a single value.
    #[error("the map has no cell with a value")]
    NoValues,
    /// The PNG encoder failed.
    #[error("cannot encode the figure: {0}")]
    Png(#[from] png::EncodingError),
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}
