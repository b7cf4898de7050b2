//! Heat maps: a value over two categories as colour, and as a number where there is room.

use crate::axis::Mapping;
use crate::canvas::Align;
use crate::colormap::ColorMap;
use crate::figure::{Axis, Page};
use crate::font;
use crate::frame::{Drawing, Frame, Surroundings, room_below, x_ticks};
use crate::geometry::{Rect, point};
use crate::legend::{Entry, Swatch};
use crate::number::significant;
use crate::style::{BLACK, GREY, Hatch, NOTE_SIZE, WHITE};

/// A value for each pair of a column and a row.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// Size, title and provenance.
    pub page: Page,
    /// What the columns are, with their unit.
    pub x_label: String,
    /// What the rows are, with their unit.
    pub y_label: String,
    /// Names from left to right.
    pub columns: Vec<String>,
    /// Names from the bottom up.
    pub rows: Vec<String>,
    /// The quantity shown.
    pub value: Axis,
    /// One list per row, one cell per column.
    pub cells: Vec<Vec<HeatCell>>,
}

/// What is known of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HeatCell {
    /// A value, in the unit of the value axis.
    Value(f64),
    /// The design exists but cannot work: hatched.
    Infeasible,
    /// Nothing: left empty.
    Missing,
}

impl HeatMap {
    /// All values shown.
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> {
        self.cells.iter().flatten().filter_map(|cell| match cell {
            HeatCell::Value(value) => Some(*value),
            HeatCell::Infeasible | HeatCell::Missing => None,
        })
    }
}

const INFEASIBLE: Swatch = Swatch::Area {
    fill: WHITE,
    hatch: Hatch::Rising,
};

pub(crate) fn draw(plot: &HeatMap) -> Drawing {
    let (x, y) = (
        Mapping::categories(&plot.columns, false),
        Mapping::categories(&plot.rows, false),
    );
    let map = ColorMap::new(&plot.value, plot.values());
    let hatched = plot
        .cells
        .iter()
        .flatten()
        .any(|cell| *cell == HeatCell::Infeasible);
    let around = Surroundings {
        page: &plot.page,
        x_caption: Some(plot.x_label.clone()),
        y_caption: Some(plot.y_label.clone()),
        legend: if hatched {
            vec![Entry {
                name: "infeasible",
                swatch: INFEASIBLE,
            }]
        } else {
            vec![]
        },
        bar_room: map.room(),
    };
    let mut frame = Frame::new(&around, &y, |width| room_below(&x_ticks(&x, width), width));
    frame.draw_x_axis(&x, &x_ticks(&x, frame.plot.width()));
    let numbers = numbers(plot, cell(plot, frame.plot, 0, 0));
    for (row, cells) in plot.cells.iter().enumerate() {
        for (column, shown) in cells.iter().enumerate() {
            let place = cell(plot, frame.plot, column, row);
            match shown {
                HeatCell::Value(value) => {
                    let color = map.color(*value);
                    frame.canvas.fill(&place.corners(), color);
                    if let Some(digits) = numbers {
                        let ink = if color.lightness() > 60.0 {
                            BLACK
                        } else {
                            WHITE
                        };
                        let at = point(
                            (place.left + place.right) / 2.0,
                            (place.top + place.bottom + font::CAPITAL * NOTE_SIZE) / 2.0,
                        );
                        let text = significant(*value, digits);
                        frame.canvas.text(&text, NOTE_SIZE, ink, at, Align::Middle);
                    }
                }
                HeatCell::Infeasible => frame.canvas.bar(place, WHITE, Hatch::Rising, GREY),
                HeatCell::Missing => {}
            }
        }
    }
    frame.draw_axis_lines();
    map.draw(&mut frame.canvas, frame.plot);
    frame.finish()
}

/// The significant digits with which every number fits into its cell, if any do.
fn numbers(plot: &HeatMap, cell: Rect) -> Option<usize> {
    const SPACE: f64 = 3.0;
    let fits = |digits: &usize| {
        plot.values().all(|value| {
            let width = font::width(&significant(value, *digits), NOTE_SIZE);
            width + SPACE <= cell.width()
        })
    };
    let high = cell.height() >= (font::CAPITAL + font::DESCENT) * NOTE_SIZE + SPACE / 2.0;
    [3, 2].into_iter().filter(|_| high).find(fits)
}

fn cell(plot: &HeatMap, area: Rect, column: usize, row: usize) -> Rect {
    let edge = |index: usize, names: &[String], span: f64| {
        let (before, all) = (index_of(index), index_of(names.len()));
        span * before / all
    };
    let (width, height) = (area.width(), area.height());
    Rect {
        left: area.left + edge(column, &plot.columns, width),
        right: area.left + edge(column + 1, &plot.columns, width),
        top: area.bottom - edge(row + 1, &plot.rows, height),
        bottom: area.bottom - edge(row, &plot.rows, height),
    }
}

fn index_of(index: usize) -> f64 {
    f64::from(u32::try_from(index).expect("a map on a page has few cells"))
}
