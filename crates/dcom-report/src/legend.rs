//! The legend: a block of entries beside or below the plot, never over data.

use crate::canvas::{Align, Canvas};
use crate::font;
use crate::geometry::{Rect, point};
use crate::style::{
    Color, Hatch, INK, LEGEND_SIZE, SERIES_LINE, STYLES, SeriesStyle, Shape, WHITE,
};

const KEY_GAP: f64 = 4.0;
const COLUMN_GAP: f64 = 12.0;
const ROW_GAP: f64 = 2.0;
const LINE_HEIGHT: f64 = LEGEND_SIZE * font::LEADING;
pub(crate) const MARKER_RADIUS: f64 = 2.1;

/// What stands before a name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Swatch {
    /// A line with its markers.
    Line(&'static SeriesStyle),
    /// A filled area.
    Area { fill: Color, hatch: Hatch },
    /// A line alone.
    Stroke { dash: &'static [f64], color: Color },
    /// A marker alone.
    Mark {
        shape: Shape,
        color: Color,
        inside: Color,
    },
}

/// A line of the legend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) swatch: Swatch,
}

/// Lines with markers, in the styles' order.
pub(crate) fn lines<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Entry<'a>> {
    let styled = names.zip(&STYLES);
    styled
        .map(|(name, style)| Entry {
            name,
            swatch: Swatch::Line(style),
        })
        .collect()
}

/// Filled areas, in the styles' order.
pub(crate) fn areas<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Entry<'a>> {
    let styled = names.zip(&STYLES);
    styled
        .map(|(name, style)| Entry {
            name,
            swatch: Swatch::Area {
                fill: style.fill,
                hatch: style.hatch,
            },
        })
        .collect()
}

impl Swatch {
    fn width(self) -> f64 {
        match self {
            // Long enough for one period of every dash pattern on each side of the marker.
            Self::Line(_) | Self::Stroke { .. } => 30.0,
            Self::Area { .. } | Self::Mark { .. } => 13.0,
        }
    }

    fn draw(self, canvas: &mut Canvas, key: Rect) {
        let middle = (key.top + key.bottom) / 2.0;
        let ends = [point(key.left, middle), point(key.right, middle)];
        let center = point((key.left + key.right) / 2.0, middle);
        match self {
            Self::Line(style) => {
                canvas.dashed(&ends, style.dash, SERIES_LINE, style.color);
                canvas.marker(style.marker, center, MARKER_RADIUS, style.color, WHITE);
            }
            Self::Area { fill, hatch } => canvas.bar(key, fill, hatch, INK),
            Self::Stroke { dash, color } => canvas.dashed(&ends, dash, SERIES_LINE, color),
            Self::Mark {
                shape,
                color,
                inside,
            } => canvas.marker(shape, center, MARKER_RADIUS, color, inside),
        }
    }
}

/// The entries in rows and columns; empty if there is nothing to explain.
#[derive(Debug)]
pub(crate) struct Legend {
    /// The width of the widest swatch.
    key: f64,
    swatches: Vec<Swatch>,
    /// The name of each entry, wrapped.
    entries: Vec<Vec<String>>,
    /// The width of each column, with its key.
    columns: Vec<f64>,
}

impl Legend {
    /// As few rows as fit into `room`; names that are too wide even for a single column are wrapped.
    pub(crate) fn below(entries: &[Entry<'_>], room: f64) -> Self {
        let most = (1..=entries.len())
            .rev()
            .find(|&columns| Self::new(entries, columns).width() <= room);
        match most {
            Some(columns) => {
                // The same number of rows with the entries spread evenly over them.
                let rows = entries.len().div_ceil(columns);
                Self::new(entries, entries.len().div_ceil(rows))
            }
            None => {
                let single = Self::new(entries, 1);
                let text_room = room - single.key - KEY_GAP;
                let wrapped = entries
                    .iter()
                    .map(|entry| font::wrap(entry.name, LEGEND_SIZE, text_room));
                Self {
                    entries: wrapped.collect(),
                    columns: vec![room],
                    ..single
                }
            }
        }
    }

    /// A single column with every name on one line.
    pub(crate) fn beside(entries: &[Entry<'_>]) -> Self {
        Self::new(entries, 1)
    }

    fn new(entries: &[Entry<'_>], columns: usize) -> Self {
        let key = entries
            .iter()
            .map(|entry| entry.swatch.width())
            .fold(0.0, f64::max);
        let wide = |entry: &Entry<'_>| key + KEY_GAP + font::width(entry.name, LEGEND_SIZE);
        let column = |index: usize| {
            entries
                .iter()
                .skip(index)
                .step_by(columns)
                .map(wide)
                .fold(0.0, f64::max)
        };
        Self {
            key,
            swatches: entries.iter().map(|entry| entry.swatch).collect(),
            entries: entries
                .iter()
                .map(|entry| vec![entry.name.to_owned()])
                .collect(),
            columns: (0..columns).map(column).collect(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn width(&self) -> f64 {
        let gaps: f64 = self.columns.iter().skip(1).map(|_| COLUMN_GAP).sum();
        self.columns.iter().sum::<f64>() + gaps
    }

    pub(crate) fn height(&self) -> f64 {
        f64::max(0.0, self.rows().map(row_height).sum::<f64>() - ROW_GAP)
    }

    /// Draws the block with its upper left corner at the given place and returns the room it takes.
    pub(crate) fn draw(&self, canvas: &mut Canvas, left: f64, top: f64) -> Rect {
        let mut y = top;
        let mut swatches = self.swatches.iter();
        for row in self.rows() {
            let mut x = left;
            for ((name, column), swatch) in row.iter().zip(&self.columns).zip(&mut swatches) {
                let middle = y + LINE_HEIGHT / 2.0;
                let key = Rect {
                    left: x,
                    right: x + self.key,
                    top: middle - 3.8,
                    bottom: middle + 3.8,
                };
                swatch.draw(canvas, key);
                for (line, baseline) in name.iter().zip(baselines(middle)) {
                    canvas.text(
                        line,
                        LEGEND_SIZE,
                        INK,
                        point(key.right + KEY_GAP, baseline),
                        Align::Start,
                    );
                }
                x += column + COLUMN_GAP;
            }
            y += row_height(row);
        }
        Rect {
            left,
            top,
            right: left + self.width(),
            bottom: top + self.height(),
        }
    }

    fn rows(&self) -> impl Iterator<Item = &[Vec<String>]> {
        self.entries.chunks(self.columns.len())
    }
}

/// The baselines of wrapped lines, the first of which is centred at `middle`.
fn baselines(middle: f64) -> impl Iterator<Item = f64> {
    let first = middle + font::CAPITAL * LEGEND_SIZE / 2.0;
    std::iter::successors(Some(first), |baseline| Some(baseline + LINE_HEIGHT))
}

fn row_height(row: &[Vec<String>]) -> f64 {
    let lines = |name: &Vec<String>| name.iter().map(|_| LINE_HEIGHT).sum::<f64>();
    row.iter().map(lines).fold(0.0, f64::max) + ROW_GAP
}
