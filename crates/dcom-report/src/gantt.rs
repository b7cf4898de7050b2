//! Gantt charts: which machine did what, when.

use crate::axis::{Mapping, PADDING};
use crate::figure::{Axis, Page, Scale};
use crate::frame::{Drawing, Frame, Surroundings, room_below, x_ticks};
use crate::geometry::Rect;
use crate::legend;
use crate::style::{INK, STYLES};

/// The part of a machine's place that its spans fill.
const FILLED: f64 = 0.66;

/// Spans of work on machines over time.
#[derive(Debug, Clone, PartialEq)]
pub struct GanttPlot {
    /// Size, title and provenance.
    pub page: Page,
    /// Time, linear.
    pub x: Axis,
    /// The machines, from the top down; at least one.
    pub machines: Vec<String>,
    /// Kinds of work, for the legend; at least one, at most eight.
    pub kinds: Vec<String>,
    /// At least one.
    pub spans: Vec<GanttSpan>,
}

/// A span of work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GanttSpan {
    /// Index into [`GanttPlot::machines`].
    pub machine: usize,
    /// Index into [`GanttPlot::kinds`].
    pub kind: usize,
    /// Start, in the axis's unit.
    pub start: f64,
    /// End.
    pub end: f64,
}

impl GanttPlot {
    fn ranged(&self) -> Axis {
        let end = self.spans.iter().map(|span| span.end).fold(0.0, f64::max);
        Axis {
            scale: Scale::Linear,
            range: self.x.range.or(Some((0.0, end))),
            ..self.x.clone()
        }
    }
}

pub(crate) fn draw(plot: &GanttPlot) -> Drawing {
    // Categories are placed from the bottom up.
    let names: Vec<String> = plot.machines.iter().rev().cloned().collect();
    let x = Mapping::new(&plot.ranged(), PADDING, []);
    let y = Mapping::categories(&names, true);
    let around = Surroundings {
        page: &plot.page,
        x_caption: Some(plot.x.caption()),
        y_caption: None,
        legend: legend::areas(plot.kinds.iter().map(String::as_str)),
        bar_room: 0.0,
    };
    let mut frame = Frame::new(&around, &y, |width| room_below(&x_ticks(&x, width), width));
    frame.draw_x_axis(&x, &x_ticks(&x, frame.plot.width()));
    let slots: Vec<f64> = std::iter::successors(Some(0.0), |slot| Some(slot + 1.0))
        .take(names.len())
        .collect();
    for span in &plot.spans {
        let middle = slots[names.len() - 1 - span.machine] + 0.5;
        let edge = |share: f64| frame.up(y.place(middle + share / 2.0));
        let rect = Rect {
            left: frame.across(x.place(span.start)),
            right: frame.across(x.place(span.end)),
            top: edge(FILLED),
            bottom: edge(-FILLED),
        };
        let style = &STYLES[span.kind];
        if rect.width() > 0.0 {
            frame.canvas.bar(rect, style.fill, style.hatch, INK);
        }
    }
    frame.draw_axis_lines();
    frame.finish()
}
