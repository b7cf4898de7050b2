//! Line plots.

use crate::axis::{Mapping, NOTE_PADDING, PADDING};
use crate::canvas::Canvas;
use crate::figure::{Interval, LinePlot, Series};
use crate::frame::{Drawing, Frame, Surroundings, room_below, x_ticks};
use crate::geometry::{Point, point};
use crate::legend::{self, MARKER_RADIUS};
use crate::note::{self, Sign};
use crate::style::{Color, HAIR_LINE, SERIES_LINE, STYLES, WHITE};

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
        y_caption: Some(plot.y.caption()),
        legend: legend::lines(plot.series.iter().map(|series| series.name.as_str())),
        bar_room: 0.0,
    };
    let mut frame = Frame::new(&around, &y, |width| room_below(&x_ticks(&x, width), width));
    frame.draw_x_axis(&x, &x_ticks(&x, frame.plot.width()));
    frame.draw_axis_lines();

    let place = |frame: &Frame, at: (f64, f64)| frame.at(&x, &y, at);
    let lines: Vec<Vec<Point>> = plot
        .series
        .iter()
        .map(|series| series.points.iter().map(|&at| place(&frame, at)).collect())
        .collect();
    let mut obstacles = lines.clone();
    let banded = |series: &&Series| series.interval == Interval::Band;
    // All areas first, so that none hides a line; their edges stay visible over other areas.
    let mut edges = Vec::new();
    for (series, style) in plot.series.iter().zip(&STYLES) {
        if let Some(error) = series.error.as_ref().filter(|_| banded(&series)) {
            let side = |end: fn(&(f64, f64)) -> f64| {
                let ends = series.points.iter().zip(error);
                ends.map(|(&(at, _), interval)| place(&frame, (at, end(interval))))
                    .collect::<Vec<Point>>()
            };
            let (low, high) = (side(|interval| interval.0), side(|interval| interval.1));
            let area: Vec<Point> = low.iter().chain(high.iter().rev()).copied().collect();
            frame.canvas.fill(&area, style.color.tint());
            edges.extend([(low, style.color), (high, style.color)]);
        }
    }
    for (edge, color) in edges {
        frame.canvas.stroke(&edge, HAIR_LINE, color);
        obstacles.push(edge);
    }
    for (series, style) in plot.series.iter().zip(&STYLES).filter(|(s, _)| !banded(s)) {
        for (&(at, _), &(lo, hi)) in series.points.iter().zip(series.error.iter().flatten()) {
            let ends = [place(&frame, (at, lo)), place(&frame, (at, hi))];
            draw_error_bar(&mut frame.canvas, ends, style.color);
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
    note::draw(
        &mut frame.canvas,
        frame.plot,
        &obstacles,
        &notes,
        Sign::Star,
    );
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

pub(crate) fn draw_error_bar(canvas: &mut Canvas, ends: [Point; 2], color: Color) {
    const CAP: f64 = 1.8;
    canvas.stroke(&ends, HAIR_LINE, color);
    // Caps stand across the bar, which is along one of the axes.
    let is_level = (ends[0].y - ends[1].y).abs() < (ends[0].x - ends[1].x).abs();
    let (dx, dy) = if is_level { (0.0, CAP) } else { (CAP, 0.0) };
    for end in ends {
        let cap = [point(end.x - dx, end.y - dy), point(end.x + dx, end.y + dy)];
        canvas.stroke(&cap, HAIR_LINE, color);
    }
}
