//! Values as colours: viridis (by Smith and van der Walt, dedicated to the public domain under CC0), perceptually uniform and
//! rising in lightness, so that a grey print keeps the order; and the bar that explains it.

use crate::axis::{Mapping, PADDING, Tick};
use crate::canvas::{Align, Canvas};
use crate::figure::Axis;
use crate::font;
use crate::frame::block;
use crate::geometry::{Rect, point};
use crate::style::{AXIS_LINE, Color, INK, LABEL_SIZE, TICK_SIZE};

/// Between the plot and the bar, and between the parts of the bar [pt].
const GAP: f64 = 3.0;
const BAR_GAP: f64 = 6.0;
const BAR_WIDTH: f64 = 9.0;
/// Longest line of the caption, which must fit the height of the plot [pt].
const CAPTION_ROOM: f64 = 110.0;
const MOST_TICKS: usize = 6;

/// A colour for each value of an axis.
#[derive(Debug)]
pub(crate) struct ColorMap {
    mapping: Mapping,
    ticks: Vec<Tick>,
    caption: Vec<String>,
}

impl ColorMap {
    /// For values that the axis can show.
    pub(crate) fn new(axis: &Axis, values: impl IntoIterator<Item = f64>) -> Self {
        let mapping = Mapping::new(axis, PADDING, values);
        Self {
            ticks: mapping.ticks(|ticks| ticks.len() <= MOST_TICKS),
            mapping,
            caption: font::wrap(&axis.caption(), LABEL_SIZE, CAPTION_ROOM),
        }
    }

    pub(crate) fn color(&self, value: f64) -> Color {
        at(self.mapping.place(value))
    }

    /// The room at the right of the plot that the bar needs.
    pub(crate) fn room(&self) -> f64 {
        BAR_GAP
            + BAR_WIDTH
            + 2.0 * GAP
            + self.label_width()
            + GAP
            + block(&self.caption, LABEL_SIZE)
    }

    /// Draws the bar at the right of the plot.
    pub(crate) fn draw(&self, canvas: &mut Canvas, plot: Rect) {
        const STEPS: u32 = 128;
        let bar = Rect {
            left: plot.right + BAR_GAP,
            right: plot.right + BAR_GAP + BAR_WIDTH,
            ..plot
        };
        let up = |place: f64| bar.bottom - place * bar.height();
        for step in 0..STEPS {
            let (from, to) = (
                f64::from(step) / f64::from(STEPS),
                f64::from(step + 1) / f64::from(STEPS),
            );
            // Each step reaches under the next, so that no seam shows.
            let slice = Rect {
                top: up(f64::min(1.0, to + 1.0 / f64::from(STEPS))),
                bottom: up(from),
                ..bar
            };
            canvas.fill(&slice.corners(), at((from + to) / 2.0));
        }
        let mut outline = bar.corners().to_vec();
        outline.extend_from_within(..2);
        canvas.stroke(&outline, AXIS_LINE, INK);
        for tick in &self.ticks {
            let y = up(tick.place);
            canvas.stroke(
                &[point(bar.right, y), point(bar.right + GAP, y)],
                AXIS_LINE,
                INK,
            );
            let baseline = point(bar.right + 2.0 * GAP, y + font::CAPITAL * TICK_SIZE / 2.0);
            canvas.text(&tick.label, TICK_SIZE, INK, baseline, Align::Start);
        }
        let mut x = bar.right + 3.0 * GAP + self.label_width() + LABEL_SIZE * font::CAPITAL;
        let middle = (bar.top + bar.bottom) / 2.0;
        for line in &self.caption {
            canvas.text_upwards(line, LABEL_SIZE, INK, point(x, middle), Align::Middle);
            x += LABEL_SIZE * font::LEADING;
        }
    }

    fn label_width(&self) -> f64 {
        let widths = self
            .ticks
            .iter()
            .map(|tick| font::width(&tick.label, TICK_SIZE));
        widths.fold(0.0, f64::max)
    }
}

/// Light is much, dark is little.
fn at(place: f64) -> Color {
    let colorous::Color { r, g, b } = colorous::VIRIDIS.eval_continuous(place.clamp(0.0, 1.0));
    Color(r, g, b)
}
