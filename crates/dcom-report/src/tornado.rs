//! Tornado diagrams: how far a result moves over the range of each parameter, the widest range on top.

use crate::axis::{Mapping, PADDING, is_degenerate, padded};
use crate::figure::{Axis, Page, Scale};
use crate::frame::{Drawing, Frame, Surroundings, room_below, x_ticks};
use crate::geometry::{Rect, point};
use crate::legend;
use crate::style::{AXIS_LINE, BLACK, INK, STYLES};

/// The part of a parameter's place that its bar fills.
const FILLED: f64 = 0.66;

/// Bars from the nominal result to those at the ends of each parameter's range; sorted when drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct TornadoPlot {
    /// Size, title and provenance.
    pub page: Page,
    /// The result.
    pub x: Axis,
    /// The result where every parameter has its nominal value.
    pub nominal: f64,
    /// At least one.
    pub bars: Vec<TornadoBar>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct TornadoBar {
    /// Its name, with its range if the reader is to know it.
    pub name: String,
    /// The result at the lower end of its range.
    pub low: f64,
    /// The result at the upper end of its range.
    pub high: f64,
}

impl TornadoPlot {
    /// The parameters by swing, the smallest first; by name where swings are equal.
    pub(crate) fn sorted(&self) -> Vec<&TornadoBar> {
        let swing = |bar: &TornadoBar| {
            let ends = [bar.low, bar.high, self.nominal];
            ends.into_iter().fold(f64::NEG_INFINITY, f64::max)
                - ends.into_iter().fold(f64::INFINITY, f64::min)
        };
        let mut bars: Vec<&TornadoBar> = self.bars.iter().collect();
        bars.sort_by(|a, b| {
            swing(a)
                .total_cmp(&swing(b))
                .then_with(|| b.name.cmp(&a.name))
        });
        bars
    }

    /// The x axis with a range. Bars show differences from the nominal result, so a linear axis does not reach for zero.
    fn ranged(&self) -> Axis {
        let values = || {
            let ends = self.bars.iter().flat_map(|bar| [bar.low, bar.high]);
            ends.chain([self.nominal])
        };
        let (lo, hi) = (
            values().fold(f64::INFINITY, f64::min),
            values().fold(f64::NEG_INFINITY, f64::max),
        );
        match self.x.scale {
            Scale::Linear if self.x.range.is_none() && !is_degenerate(lo, hi) => {
                let room = PADDING * (hi - lo);
                self.x.clone().range(lo - room, hi + room)
            }
            Scale::Linear | Scale::Log2 | Scale::Log10 => Axis {
                range: self
                    .x
                    .range
                    .or_else(|| Some(padded(self.x.scale, PADDING, lo, hi))),
                ..self.x.clone()
            },
        }
    }
}

pub(crate) fn draw(plot: &TornadoPlot) -> Drawing {
    let bars = plot.sorted();
    let names: Vec<String> = bars.iter().map(|bar| bar.name.clone()).collect();
    let x = Mapping::new(&plot.ranged(), PADDING, []);
    let y = Mapping::categories(&names, true);
    let around = Surroundings {
        page: &plot.page,
        x_caption: Some(plot.x.caption()),
        y_caption: None,
        legend: legend::areas(["at the low end of the range", "at its high end"].into_iter()),
        bar_room: 0.0,
    };
    let mut frame = Frame::new(&around, &y, |width| room_below(&x_ticks(&x, width), width));
    frame.draw_x_axis(&x, &x_ticks(&x, frame.plot.width()));
    let nominal = frame.across(x.place(plot.nominal));
    let slots = std::iter::successors(Some(0.0), |start| Some(start + 1.0));
    for (bar, start) in bars.iter().zip(slots) {
        let edge = |share: f64| frame.up(y.place(start + 0.5 + share / 2.0));
        let (top, bottom) = (edge(FILLED), edge(-FILLED));
        let middle = (top + bottom) / 2.0;
        let (low, high) = (
            frame.across(x.place(bar.low)),
            frame.across(x.place(bar.high)),
        );
        // Where both ends lie on one side, the bars share the height instead of hiding each other.
        let same_side = (low - nominal) * (high - nominal) > 0.0;
        let rows = if same_side {
            [(top, middle), (middle, bottom)]
        } else {
            [(top, bottom); 2]
        };
        for ((end, (top, bottom)), style) in [low, high].into_iter().zip(rows).zip(&STYLES) {
            let rect = Rect {
                left: f64::min(nominal, end),
                right: f64::max(nominal, end),
                top,
                bottom,
            };
            if rect.width() > 0.0 {
                frame.canvas.bar(rect, style.fill, style.hatch, INK);
            }
        }
    }
    frame.draw_axis_lines();
    let ends = [
        point(nominal, frame.plot.top),
        point(nominal, frame.plot.bottom),
    ];
    frame.canvas.stroke(&ends, AXIS_LINE, BLACK);
    frame.finish()
}
