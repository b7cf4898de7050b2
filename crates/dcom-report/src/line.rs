//! Line plots.

use crate::axis::{Mapping, NOTE_PADDING, PADDING, Tick};
use crate::canvas::Canvas;
use crate::figure::LinePlot;
use crate::font;
use crate::frame::{Drawing, Frame, Surroundings, XLabels};
use crate::geometry::{Point, point};
use crate::legend::{Key, MARKER_RADIUS};
use crate::note;
use crate::style::{HAIR_LINE, SERIES_LINE, STYLES, SeriesStyle, TICK_SIZE, WHITE};

pub(crate) fn draw(plot: &LinePlot) -> Drawing {
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let intervals = plot
        .series
        .iter()
        .flat_map(|series| series.error.iter().flatten());
    let x = Mapping::new(
        &plot.x,
        PADDING,
        points()
            .map(|&(x, _)| x)
            .chain(plot.markers.iter().map(|marker| marker.x)),
    );
    let y_values = points()
        .map(|&(_, y)| y)
        .chain(plot.markers.iter().map(|marker| marker.y));
    let padding = if plot.markers.is_empty() {
        PADDING
    } else {
        NOTE_PADDING
    };
    let y = Mapping::new(
        &plot.y,
        padding,
        y_values.chain(intervals.flat_map(|&(lo, hi)| [lo, hi])),
    );
    let around = Surroundings {
        page: &plot.page,
        x_caption: Some(plot.x.caption()),
        y_caption: plot.y.caption(),
        names: plot
            .series
            .iter()
            .map(|series| series.name.as_str())
            .collect(),
        key: Key::Line,
    };
    let mut frame = Frame::new(&around, &y, |width| room_below(&x_ticks(&x, width), width));
    frame.draw_x_axis(&x, &x_ticks(&x, frame.plot.width()));
    frame.draw_axis_lines();

    let place =
        |frame: &Frame, (a, b): (f64, f64)| point(frame.across(x.place(a)), frame.up(y.place(b)));
    let lines: Vec<Vec<Point>> = plot
        .series
        .iter()
        .map(|series| series.points.iter().map(|&at| place(&frame, at)).collect())
        .collect();
    let mut obstacles = lines.clone();
    for (series, style) in plot.series.iter().zip(&STYLES) {
        for (&(at, _), &(lo, hi)) in series.points.iter().zip(series.error.iter().flatten()) {
            let ends = [place(&frame, (at, lo)), place(&frame, (at, hi))];
            draw_error_bar(&mut frame.canvas, ends, style);
            obstacles.push(ends.to_vec());
        }
    }
    for (line, style) in lines.iter().zip(&STYLES) {
        frame
            .canvas
            .dashed(line, style.dash, SERIES_LINE, style.color);
    }
    let notes: Vec<(Point, &str)> = plot
        .markers
        .iter()
        .map(|marker| (place(&frame, (marker.x, marker.y)), marker.label.as_str()))
        .collect();
    note::draw(&mut frame.canvas, frame.plot, &obstacles, &notes);
    draw_markers(&mut frame.canvas, &lines);
    frame.finish()
}

/// Above everything else. Where points coincide, the crosses stay visible over the closed shapes, and these over larger ones.
fn draw_markers(canvas: &mut Canvas, lines: &[Vec<Point>]) {
    let styled = || lines.iter().zip(&STYLES).rev();
    let (open, closed): (Vec<_>, Vec<_>) = styled().partition(|(_, style)| style.marker.is_open());
    for (line, style) in closed.into_iter().chain(open) {
        for &at in line {
            canvas.marker(style.marker, at, MARKER_RADIUS, style.color, WHITE);
        }
    }
}

fn draw_error_bar(canvas: &mut Canvas, ends: [Point; 2], style: &SeriesStyle) {
    const CAP: f64 = 1.8;
    canvas.stroke(&ends, HAIR_LINE, style.color);
    for end in ends {
        canvas.stroke(
            &[point(end.x - CAP, end.y), point(end.x + CAP, end.y)],
            HAIR_LINE,
            style.color,
        );
    }
}

/// As many ticks as have room for their labels below a plot of this width.
fn x_ticks(x: &Mapping, width: f64) -> Vec<Tick> {
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

fn room_below(ticks: &[Tick], width: f64) -> XLabels {
    let beyond =
        |tick: &Tick| font::width(&tick.label, TICK_SIZE) / 2.0 - (1.0 - tick.place) * width;
    XLabels {
        height: TICK_SIZE * (font::CAPITAL + font::DESCENT),
        overhang: ticks.iter().map(beyond).fold(0.0, f64::max),
    }
}
