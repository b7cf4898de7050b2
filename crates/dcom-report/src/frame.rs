//! Where things go on the page: the plot area in the middle, tick labels and captions around it, the legend outside.

use crate::axis::{Mapping, Tick};
use crate::canvas::{Align, Canvas};
use crate::figure::{Page, Width};
use crate::font;
use crate::geometry::{Point, Rect, point};
use crate::legend::{Entry, Legend};
use crate::style::{AXIS_LINE, GRID, GRID_LINE, INK, LABEL_SIZE, TICK_SIZE, TITLE_SIZE, WHITE};

pub(crate) const POINTS_PER_INCH: f64 = 72.0;
pub(crate) const DOTS_PER_INCH: f64 = 300.0;

/// Empty border of the page [pt].
const MARGIN: f64 = 3.0;
/// Length of a tick [pt].
const TICK: f64 = 2.5;
/// Between neighbours of any kind [pt].
const GAP: f64 = 3.0;
/// Between the plot and the legend [pt].
const LEGEND_GAP: f64 = 6.0;
/// Between the baselines of neighbouring tick labels of the y axis, at least, per font size.
const Y_TICK_SPACING: f64 = 1.7;

/// A finished drawing and the places of its parts.
#[derive(Debug)]
pub(crate) struct Drawing {
    pub(crate) canvas: Canvas,
    pub(crate) page: Rect,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the tests check that nothing overlaps")
    )]
    pub(crate) plot: Rect,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the tests check that nothing overlaps")
    )]
    pub(crate) legend: Rect,
}

/// What stands around the plot.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) page: &'a Page,
    pub(crate) x_caption: Option<String>,
    pub(crate) y_caption: Option<String>,
    pub(crate) legend: Vec<Entry<'a>>,
    /// Room for a colour bar at the right of the plot [pt]; where there is one, the legend goes below.
    pub(crate) bar_room: f64,
}

/// The room that the labels below a plot take, which depends on the width of the plot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct XLabels {
    pub(crate) height: f64,
    /// How far the last label reaches beyond the plot.
    pub(crate) overhang: f64,
}

/// The plot area and the drawing so far: a page with its axes, captions and legend.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) canvas: Canvas,
    pub(crate) plot: Rect,
    page: Rect,
    legend: Rect,
}

impl Frame {
    /// Lays out the page and draws everything except the data and the labels below the plot.
    pub(crate) fn new(
        around: &Surroundings<'_>,
        y: &Mapping,
        x_labels: impl Fn(f64) -> XLabels,
    ) -> Self {
        let layout = Layout::new(around, y, x_labels);
        let mut frame = Self {
            canvas: Canvas::default(),
            plot: layout.plot,
            page: layout.page,
            // Replaced when the legend is drawn below.
            legend: layout.page,
        };
        frame.canvas.fill(&layout.page.corners(), WHITE);
        frame.draw_y_axis(y, &layout.y_ticks);
        frame.draw_captions(&layout);
        frame.legend = layout
            .legend
            .draw(&mut frame.canvas, layout.legend_left, layout.legend_top);
        frame
    }

    pub(crate) fn finish(self) -> Drawing {
        Drawing {
            canvas: self.canvas,
            page: self.page,
            plot: self.plot,
            legend: self.legend,
        }
    }

    /// The place of a fraction of the x axis.
    pub(crate) fn across(&self, place: f64) -> f64 {
        self.plot.left + place * self.plot.width()
    }

    /// The place of a fraction of the y axis.
    pub(crate) fn up(&self, place: f64) -> f64 {
        self.plot.bottom - place * self.plot.height()
    }

    /// Grid lines, ticks and numbers of a numeric x axis.
    pub(crate) fn draw_x_axis(&mut self, x: &Mapping, ticks: &[Tick]) {
        let Rect { top, bottom, .. } = self.plot;
        for tick in ticks.iter().filter(|_| x.is_numeric()) {
            let at = self.across(tick.place);
            self.canvas
                .stroke(&[point(at, top), point(at, bottom)], GRID_LINE, GRID);
        }
        for at in x
            .minor()
            .into_iter()
            .map(|place| self.across(place))
            .collect::<Vec<_>>()
        {
            self.canvas.stroke(
                &[point(at, bottom), point(at, bottom + TICK / 2.0)],
                AXIS_LINE,
                INK,
            );
        }
        for tick in ticks {
            let at = self.across(tick.place);
            self.canvas.stroke(
                &[point(at, bottom), point(at, bottom + TICK)],
                AXIS_LINE,
                INK,
            );
            let baseline = point(at, x_label_baseline(self.plot));
            self.canvas
                .text(&tick.label, TICK_SIZE, INK, baseline, Align::Middle);
        }
    }

    /// The place of a pair of values.
    pub(crate) fn at(&self, x: &Mapping, y: &Mapping, (a, b): (f64, f64)) -> Point {
        point(self.across(x.place(a)), self.up(y.place(b)))
    }

    /// The two axis lines; drawn after a grid so that they lie above it.
    pub(crate) fn draw_axis_lines(&mut self) {
        let corners = self.plot.corners();
        self.canvas
            .stroke(&[corners[0], corners[3], corners[2]], AXIS_LINE, INK);
    }

    fn draw_y_axis(&mut self, y: &Mapping, ticks: &[Tick]) {
        let Rect { left, right, .. } = self.plot;
        for tick in ticks.iter().filter(|_| y.is_numeric()) {
            let at = self.up(tick.place);
            self.canvas
                .stroke(&[point(left, at), point(right, at)], GRID_LINE, GRID);
        }
        for at in y
            .minor()
            .into_iter()
            .map(|place| self.up(place))
            .collect::<Vec<_>>()
        {
            self.canvas.stroke(
                &[point(left - TICK / 2.0, at), point(left, at)],
                AXIS_LINE,
                INK,
            );
        }
        for tick in ticks {
            let at = self.up(tick.place);
            self.canvas
                .stroke(&[point(left - TICK, at), point(left, at)], AXIS_LINE, INK);
            let baseline = point(left - TICK - GAP, at + font::CAPITAL * TICK_SIZE / 2.0);
            self.canvas
                .text(&tick.label, TICK_SIZE, INK, baseline, Align::End);
        }
    }

    fn draw_captions(&mut self, layout: &Layout) {
        let middle = point(
            (self.plot.left + self.plot.right) / 2.0,
            (self.plot.top + self.plot.bottom) / 2.0,
        );
        let mut baseline = MARGIN + TITLE_SIZE * font::CAPITAL;
        for line in &layout.title {
            let center = (self.page.left + self.page.right) / 2.0;
            self.canvas.text(
                line,
                TITLE_SIZE,
                INK,
                point(center, baseline),
                Align::Middle,
            );
            baseline += TITLE_SIZE * font::LEADING;
        }
        let mut baseline = MARGIN + LABEL_SIZE * font::CAPITAL;
        for line in &layout.y_caption {
            self.canvas.text_upwards(
                line,
                LABEL_SIZE,
                INK,
                point(baseline, middle.y),
                Align::Middle,
            );
            baseline += LABEL_SIZE * font::LEADING;
        }
        let mut baseline = layout.x_caption_top + LABEL_SIZE * font::CAPITAL;
        for line in &layout.x_caption {
            self.canvas.text(
                line,
                LABEL_SIZE,
                INK,
                point(middle.x, baseline),
                Align::Middle,
            );
            baseline += LABEL_SIZE * font::LEADING;
        }
    }
}

/// The baseline of the first line of labels below a plot.
pub(crate) fn x_label_baseline(plot: Rect) -> f64 {
    plot.bottom + TICK + GAP + TICK_SIZE * font::CAPITAL
}

#[derive(Debug)]
struct Layout {
    page: Rect,
    plot: Rect,
    title: Vec<String>,
    x_caption: Vec<String>,
    x_caption_top: f64,
    y_caption: Vec<String>,
    y_ticks: Vec<Tick>,
    legend: Legend,
    legend_left: f64,
    legend_top: f64,
}

impl Layout {
    fn new(around: &Surroundings<'_>, y: &Mapping, x_labels: impl Fn(f64) -> XLabels) -> Self {
        let page_width = match around.page.width {
            Width::SingleColumn => 3.5 * POINTS_PER_INCH,
            Width::DoubleColumn => 7.16 * POINTS_PER_INCH,
        };
        let beside = Legend::beside(&around.legend);
        let mut columns = Columns::settle(
            around,
            y,
            &x_labels,
            page_width,
            beside.width() + LEGEND_GAP,
        );
        let is_beside = around.bar_room == 0.0
            && !beside.is_empty()
            && legend_goes_beside(&beside, page_width, columns.plot_width, columns.plot_height);
        let legend = if is_beside {
            beside
        } else {
            columns = Columns::settle(around, y, &x_labels, page_width, around.bar_room);
            Legend::below(&around.legend, page_width - 2.0 * MARGIN)
        };

        let title = around.page.title.as_deref().unwrap_or_default();
        let title = font::wrap(title, TITLE_SIZE, page_width - 2.0 * MARGIN);
        let top = MARGIN + block(&title, TITLE_SIZE) + f64::max(GAP, TICK_SIZE / 2.0);
        let plot = Rect {
            left: columns.plot_left,
            top,
            right: columns.plot_left + columns.plot_width,
            bottom: top + columns.plot_height,
        };
        let x_caption = around.x_caption.as_deref().unwrap_or_default();
        let x_caption = font::wrap(x_caption, LABEL_SIZE, columns.plot_width);
        let x_caption_top = plot.bottom + TICK + GAP + x_labels(columns.plot_width).height + GAP;
        let labels_bottom = x_caption_top + block(&x_caption, LABEL_SIZE);
        let (legend_left, legend_top, bottom) = if is_beside {
            (
                page_width - MARGIN - legend.width(),
                plot.top,
                labels_bottom.max(plot.top + legend.height()),
            )
        } else {
            // Centred below the plot as far as the page allows.
            let centered = (plot.left + plot.right - legend.width()) / 2.0;
            let left = centered
                .min(page_width - MARGIN - legend.width())
                .max(MARGIN);
            let gap = if legend.is_empty() { 0.0 } else { LEGEND_GAP };
            (
                left,
                labels_bottom + gap,
                labels_bottom + gap + legend.height(),
            )
        };
        // Whole dots in height as in width, so that the PNG has exactly the proportions of the SVG.
        let dot = POINTS_PER_INCH / DOTS_PER_INCH;
        let page_height = ((bottom + MARGIN) / dot).ceil() * dot;
        Self {
            page: Rect {
                left: 0.0,
                top: 0.0,
                right: page_width,
                bottom: page_height,
            },
            plot,
            title,
            x_caption,
            x_caption_top,
            y_caption: columns.y_caption,
            y_ticks: columns.y_ticks,
            legend,
            legend_left,
            legend_top,
        }
    }
}

/// How the width of the page is shared.
#[derive(Debug)]
struct Columns {
    plot_left: f64,
    plot_width: f64,
    plot_height: f64,
    y_caption: Vec<String>,
    y_ticks: Vec<Tick>,
}

impl Columns {
    /// The width of the plot sets its height, that sets how many y ticks fit, and their labels set the width of the plot: a few
    /// rounds settle it.
    fn settle(
        around: &Surroundings<'_>,
        y: &Mapping,
        x_labels: impl Fn(f64) -> XLabels,
        page_width: f64,
        legend_width: f64,
    ) -> Self {
        const ROUNDS: usize = 4;
        let mut columns = Self::new(around, y, page_width * 0.8, page_width * 0.1);
        for _ in 0..ROUNDS {
            let labels = columns
                .y_ticks
                .iter()
                .map(|tick| font::width(&tick.label, TICK_SIZE))
                .fold(0.0, f64::max);
            let left = MARGIN + block(&columns.y_caption, LABEL_SIZE) + GAP + labels + GAP + TICK;
            let right =
                MARGIN + f64::max(1.0, x_labels(columns.plot_width).overhang) + legend_width;
            columns = Self::new(around, y, page_width - left - right, left);
        }
        columns
    }

    fn new(around: &Surroundings<'_>, y: &Mapping, plot_width: f64, plot_left: f64) -> Self {
        let plot_height = plot_width * around.page.height_ratio;
        let apart = |ticks: &[Tick]| {
            let spacing = |pair: &[Tick]| (pair[1].place - pair[0].place) * plot_height;
            let least = if y.is_numeric() {
                Y_TICK_SPACING
            } else {
                font::LEADING
            };
            ticks
                .windows(2)
                .all(|pair| spacing(pair) >= least * TICK_SIZE)
        };
        let y_caption = around.y_caption.as_deref().unwrap_or_default();
        let y_caption = font::wrap(y_caption, LABEL_SIZE, plot_height);
        Self {
            plot_left,
            plot_width,
            plot_height,
            y_caption,
            y_ticks: y.ticks(apart),
        }
    }
}

/// Beside the plot only where that costs the data little width and the page no height.
fn legend_goes_beside(legend: &Legend, page_width: f64, plot_width: f64, plot_height: f64) -> bool {
    const SHARE_AT_MOST: f64 = 0.3;
    const PLOT_AT_LEAST: f64 = 2.4 * POINTS_PER_INCH;
    legend.width() <= SHARE_AT_MOST * page_width
        && plot_width >= PLOT_AT_LEAST
        && legend.height() <= plot_height
}

/// The height of lines of text, from the top of the first capital to the last descender; nothing for no lines.
pub(crate) fn block(lines: &[String], size: f64) -> f64 {
    match lines {
        [] => 0.0,
        [_, more @ ..] => {
            size * (font::CAPITAL + font::DESCENT)
                + more.iter().map(|_| size * font::LEADING).sum::<f64>()
        }
    }
}

/// As many ticks as have room for their labels below a plot of this width.
pub(crate) fn x_ticks(x: &Mapping, width: f64) -> Vec<Tick> {
    const SPACE: f64 = 6.0;
    x.ticks(|ticks| {
        ticks.windows(2).all(|pair| {
            let labels: f64 = pair
                .iter()
                .map(|tick| font::width(&tick.label, TICK_SIZE) / 2.0)
                .sum();
            (pair[1].place - pair[0].place) * width >= labels + SPACE
        })
    })
}

pub(crate) fn room_below(ticks: &[Tick], width: f64) -> XLabels {
    let beyond =
        |tick: &Tick| font::width(&tick.label, TICK_SIZE) / 2.0 - (1.0 - tick.place) * width;
    XLabels {
        height: TICK_SIZE * (font::CAPITAL + font::DESCENT),
        overhang: ticks.iter().map(beyond).fold(0.0, f64::max),
    }
}
