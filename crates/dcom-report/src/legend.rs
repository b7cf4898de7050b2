//! The legend: a block of entries beside or below the plot, never over data.

use crate::canvas::{Align, Canvas};
use crate::font;
use crate::geometry::{Rect, point};
use crate::style::{INK, LEGEND_SIZE, SERIES_LINE, STYLES, WHITE};

const KEY_GAP: f64 = 4.0;
const COLUMN_GAP: f64 = 12.0;
const ROW_GAP: f64 = 2.0;
const LINE_HEIGHT: f64 = LEGEND_SIZE * font::LEADING;
pub(crate) const MARKER_RADIUS: f64 = 2.1;

/// What stands before the name of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Line,
    Bar,
}

impl Key {
    fn width(self) -> f64 {
        match self {
            // Long enough for one period of every dash pattern on each side of the marker.
            Self::Line => 30.0,
            Self::Bar => 13.0,
        }
    }
}

/// The entries in rows and columns; the n-th entry has the n-th style.
#[derive(Debug)]
pub(crate) struct Legend {
    key: Key,
    /// The name of each entry, wrapped.
    entries: Vec<Vec<String>>,
    /// The width of each column, with its key.
    columns: Vec<f64>,
}

impl Legend {
    /// As few rows as fit into `room`; names that are too wide even for a single column are wrapped.
    pub(crate) fn below(names: &[&str], key: Key, room: f64) -> Self {
        let most = (1..=names.len())
            .rev()
            .find(|&columns| Self::new(names, key, columns).width() <= room);
        match most {
            Some(columns) => {
                // The same number of rows with the entries spread evenly over them.
                let rows = names.len().div_ceil(columns);
                Self::new(names, key, names.len().div_ceil(rows))
            }
            None => {
                let text_room = room - key.width() - KEY_GAP;
                let entries = names
                    .iter()
                    .map(|name| font::wrap(name, LEGEND_SIZE, text_room))
                    .collect();
                Self {
                    key,
                    entries,
                    columns: vec![room],
                }
            }
        }
    }

    /// A single column with every name on one line.
    pub(crate) fn beside(names: &[&str], key: Key) -> Self {
        Self::new(names, key, 1)
    }

    fn new(names: &[&str], key: Key, columns: usize) -> Self {
        let wide = |name: &&str| key.width() + KEY_GAP + font::width(name, LEGEND_SIZE);
        let column = |index: usize| {
            names
                .iter()
                .skip(index)
                .step_by(columns)
                .map(wide)
                .fold(0.0, f64::max)
        };
        Self {
            key,
            entries: names.iter().map(|name| vec![(*name).to_owned()]).collect(),
            columns: (0..columns).map(column).collect(),
        }
    }

    pub(crate) fn width(&self) -> f64 {
        let gaps: f64 = self.columns.iter().skip(1).map(|_| COLUMN_GAP).sum();
        self.columns.iter().sum::<f64>() + gaps
    }

    pub(crate) fn height(&self) -> f64 {
        self.rows().map(row_height).sum::<f64>() - ROW_GAP
    }

    /// Draws the block with its upper left corner at the given place and returns the room it takes.
    pub(crate) fn draw(&self, canvas: &mut Canvas, left: f64, top: f64) -> Rect {
        let mut y = top;
        let mut styles = STYLES.iter();
        for row in self.rows() {
            let mut x = left;
            for ((name, column), style) in row.iter().zip(&self.columns).zip(&mut styles) {
                let middle = y + LINE_HEIGHT / 2.0;
                let key = Rect {
                    left: x,
                    right: x + self.key.width(),
                    top: middle - 3.8,
                    bottom: middle + 3.8,
                };
                match self.key {
                    Key::Line => {
                        let ends = [point(key.left, middle), point(key.right, middle)];
                        canvas.dashed(&ends, style.dash, SERIES_LINE, style.color);
                        let center = point((key.left + key.right) / 2.0, middle);
                        canvas.marker(style.marker, center, MARKER_RADIUS, style.color, WHITE);
                    }
                    Key::Bar => canvas.bar(key, style.fill, style.hatch, INK),
                }
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
