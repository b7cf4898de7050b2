//! Stacked and grouped bars.

use crate::axis::{Mapping, PADDING};
use crate::canvas::Align;
use crate::figure::{Arrangement, Axis, BarPlot};
use crate::font;
use crate::frame::{Drawing, Frame, Surroundings, XLabels, block, x_label_baseline};
use crate::geometry::{Rect, point};
use crate::legend;
use crate::line::draw_error_bar;
use crate::style::{BLACK, INK, STYLES, TICK_SIZE};

/// The part of a category's place that its bars fill.
const FILLED: f64 = 0.72;
/// Between the names of neighbouring categories [pt].
const NAME_GAP: f64 = 4.0;
/// Above the highest bar, as a part of it.
const HEADROOM: f64 = 1.05;

impl BarPlot {
    /// Where the bars of each category end.
    pub(crate) fn tops(&self) -> Vec<f64> {
        let values = |category: usize| {
            self.series
                .iter()
                .map(move |series| series.values[category])
        };
        (0..self.categories.len())
            .map(|category| match self.arrangement {
                Arrangement::Stacked => values(category).sum(),
                Arrangement::Grouped => values(category).fold(0.0, f64::max),
            })
            .collect()
    }
}

pub(crate) fn draw(plot: &BarPlot) -> Drawing {
    let intervals = plot
        .series
        .iter()
        .flat_map(|series| series.error.iter().flatten());
    let highest = plot
        .tops()
        .into_iter()
        .chain(intervals.map(|&(_, hi)| hi))
        .fold(0.0, f64::max);
    let range = plot.y.range.unwrap_or(if highest > 0.0 {
        (0.0, highest * HEADROOM)
    } else {
        (0.0, 1.0)
    });
    let y = Mapping::new(
        &Axis {
            range: Some(range),
            ..plot.y.clone()
        },
        PADDING,
        [],
    );
    let around = Surroundings {
        page: &plot.page,
        x_caption: plot.x_label.clone(),
        y_caption: Some(plot.y.caption()),
        legend: legend::areas(plot.series.iter().map(|series| series.name.as_str())),
        bar_room: 0.0,
    };
    let mut frame = Frame::new(&around, &y, |width| {
        Names::new(&plot.categories, width).room()
    });
    for (index, rects) in bars(plot, &frame, &y).into_iter().enumerate() {
        for (category, bar) in rects.into_iter().enumerate() {
            // A value of zero has no bar, not a line that looks like one.
            if bar.height() > 0.0 {
                frame
                    .canvas
                    .bar(bar, STYLES[index].fill, STYLES[index].hatch, INK);
            }
            if let Some(error) = &plot.series[index].error {
                let (lo, hi) = error[category];
                let middle = (bar.left + bar.right) / 2.0;
                let ends = [lo, hi].map(|end| point(middle, frame.up(y.place(end))));
                draw_error_bar(&mut frame.canvas, ends, BLACK);
            }
        }
    }
    frame.draw_axis_lines();
    let names = Names::new(&plot.categories, frame.plot.width());
    names.draw(&mut frame);
    frame.finish()
}

/// For each series, its bar in each category.
fn bars(plot: &BarPlot, frame: &Frame, y: &Mapping) -> Vec<Vec<Rect>> {
    let slots = Slots::new(plot.categories.len(), frame.plot.width());
    let mut starts = vec![0.0; plot.categories.len()];
    let mut offset = 0.0;
    let mut all = Vec::new();
    for series in &plot.series {
        let width = match plot.arrangement {
            Arrangement::Stacked => FILLED * slots.width,
            Arrangement::Grouped => {
                FILLED * slots.width / plot.series.iter().map(|_| 1.0).sum::<f64>()
            }
        };
        let bar = |(value, (start, center)): (&f64, (&f64, f64))| {
            let left = frame.plot.left + center - FILLED * slots.width / 2.0 + offset;
            let (bottom, top) = (frame.up(y.place(*start)), frame.up(y.place(start + value)));
            Rect {
                left,
                right: left + width,
                top,
                bottom,
            }
        };
        all.push(
            series
                .values
                .iter()
                .zip(starts.iter().zip(slots.centers()))
                .map(bar)
                .collect(),
        );
        match plot.arrangement {
            Arrangement::Stacked => starts
                .iter_mut()
                .zip(&series.values)
                .for_each(|(start, value)| *start += value),
            Arrangement::Grouped => offset += width,
        }
    }
    all
}

/// The places of the categories along the axis.
struct Slots {
    count: usize,
    width: f64,
}

impl Slots {
    fn new(count: usize, plot_width: f64) -> Self {
        Self {
            count,
            width: plot_width / (0..count).map(|_| 1.0).sum::<f64>(),
        }
    }

    /// From the left end of the axis.
    fn centers(&self) -> impl Iterator<Item = f64> + use<> {
        let width = self.width;
        std::iter::successors(Some(width / 2.0), move |center| Some(center + width))
            .take(self.count)
    }
}

/// The names of the categories: in lines below the bars, or upwards where a word is wider than its place.
struct Names<'a> {
    categories: &'a [String],
    wrapped: Vec<Vec<String>>,
    upright: bool,
    slots: Slots,
}

impl<'a> Names<'a> {
    fn new(categories: &'a [String], plot_width: f64) -> Self {
        let slots = Slots::new(categories.len(), plot_width);
        let room = slots.width - NAME_GAP;
        let wrapped: Vec<Vec<String>> = categories
            .iter()
            .map(|name| font::wrap(name, TICK_SIZE, room))
            .collect();
        let upright = wrapped
            .iter()
            .flatten()
            .all(|line| font::width(line, TICK_SIZE) <= room);
        Self {
            categories,
            wrapped,
            upright,
            slots,
        }
    }

    fn room(&self) -> XLabels {
        let height = if self.upright {
            self.wrapped
                .iter()
                .map(|lines| block(lines, TICK_SIZE))
                .fold(0.0, f64::max)
        } else {
            self.categories
                .iter()
                .map(|name| font::width(name, TICK_SIZE))
                .fold(0.0, f64::max)
        };
        XLabels {
            height,
            overhang: 0.0,
        }
    }

    fn draw(&self, frame: &mut Frame) {
        let first = x_label_baseline(frame.plot);
        for ((name, lines), center) in self
            .categories
            .iter()
            .zip(&self.wrapped)
            .zip(self.slots.centers())
        {
            let x = frame.plot.left + center;
            if self.upright {
                let mut baseline = first;
                for line in lines {
                    frame
                        .canvas
                        .text(line, TICK_SIZE, INK, point(x, baseline), Align::Middle);
                    baseline += TICK_SIZE * font::LEADING;
                }
            } else {
                let at = point(
                    x + TICK_SIZE * font::CAPITAL / 2.0,
                    first - TICK_SIZE * font::CAPITAL,
                );
                frame
                    .canvas
                    .text_upwards(name, TICK_SIZE, INK, at, Align::End);
            }
        }
    }
}
