//! Annotated points: a star and a text beside it, placed where it hides nothing. The stars lie below the markers of the series
//! and are larger, so that both are seen where a result meets the annotated value.

use crate::canvas::{Align, Canvas};
use crate::font;
use crate::frame::block;
use crate::geometry::{Point, Rect, point};
use crate::legend::MARKER_RADIUS;
use crate::style::{BLACK, HAIR_LINE, INK, NOTE_SIZE, Shape, WHITE};

const STAR_RADIUS: f64 = 3.2;
/// From a star to its text, tried in turn [pt]; from the second on, a line joins them.
const DISTANCES: [f64; 5] = [8.0, 15.0, 24.0, 36.0, 50.0];
/// A longer text is broken into lines, as a part of the plot's width.
const WIDEST: f64 = 0.45;

/// What marks the annotated point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Star,
    /// It is drawn by someone else.
    None,
}

/// Draws the points `notes` into `plot` with texts that avoid `lines`, each other and all points, as far as there is room.
pub(crate) fn draw(
    canvas: &mut Canvas,
    plot: Rect,
    lines: &[Vec<Point>],
    notes: &[(Point, &str)],
    sign: Sign,
) {
    let stars: Vec<Rect> = notes
        .iter()
        .map(|&(at, _)| around(at, 1.6 * STAR_RADIUS))
        .collect();
    let mut taken = stars.clone();
    let mut texts = Vec::new();
    for &(at, label) in notes {
        let text = font::wrap(label, NOTE_SIZE, WIDEST * plot.width());
        let size = size(&text);
        let candidates = DISTANCES
            .iter()
            .flat_map(|&distance| places(at, size, distance));
        let inside = candidates.filter(|candidate| plot.contains(candidate.grown(1.0)));
        // The first of the equally good ones is the nearest.
        let best = inside.min_by_key(|candidate| hidden(candidate.grown(1.5), at, lines, &taken));
        // A text too large for the plot stands on the point and is refused if it leaves the page.
        let place = best.unwrap_or_else(|| Rect {
            left: at.x - size.0 / 2.0,
            right: at.x + size.0 / 2.0,
            top: at.y - DISTANCES[0] - size.1,
            bottom: at.y - DISTANCES[0],
        });
        taken.push(place);
        texts.push((at, text, place));
    }
    for &(at, _) in notes.iter().filter(|_| sign == Sign::Star) {
        canvas.marker(Shape::Star, at, STAR_RADIUS, BLACK, BLACK);
    }
    for (at, text, place) in &texts {
        let near = point(
            at.x.clamp(place.left, place.right),
            at.y.clamp(place.top, place.bottom),
        );
        if at.distance(near) > DISTANCES[0] * 1.5 {
            let rim = at.towards(near, 1.6 * STAR_RADIUS / at.distance(near));
            canvas.stroke(&[rim, near], HAIR_LINE, INK);
        }
        canvas.fill(&place.grown(0.8).corners(), WHITE);
        let mut baseline = place.top + font::CAPITAL * NOTE_SIZE;
        for line in text {
            canvas.text(
                line,
                NOTE_SIZE,
                INK,
                point(place.left, baseline),
                Align::Start,
            );
            baseline += font::LEADING * NOTE_SIZE;
        }
    }
}

/// Width and height of wrapped text.
fn size(lines: &[String]) -> (f64, f64) {
    let width = lines
        .iter()
        .map(|line| font::width(line, NOTE_SIZE))
        .fold(0.0, f64::max);
    (width, block(lines, NOTE_SIZE))
}

/// Places around a point in sixteen directions, the right side first.
fn places(at: Point, (width, height): (f64, f64), distance: f64) -> impl Iterator<Item = Rect> {
    const DEGREES: [f64; 16] = [
        0.0, -45.0, 45.0, 180.0, -135.0, 135.0, -90.0, 90.0, -22.5, 22.5, -67.5, 67.5, -157.5,
        157.5, -112.5, 112.5,
    ];
    DEGREES.into_iter().map(move |degrees: f64| {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let center = point(
            at.x + cos * (distance + width / 2.0),
            at.y + sin * (distance + height / 2.0),
        );
        Rect {
            left: center.x - width / 2.0,
            right: center.x + width / 2.0,
            top: center.y - height / 2.0,
            bottom: center.y + height / 2.0,
        }
    })
}

/// How much a text at `place` would hide: points and texts count more than lines, and a line to its own star counts as well.
fn hidden(place: Rect, at: Point, lines: &[Vec<Point>], taken: &[Rect]) -> usize {
    const COVERED: usize = 10;
    let texts = taken.iter().filter(|other| place.overlaps(**other)).count();
    let points = lines
        .iter()
        .flatten()
        .filter(|&&center| place.overlaps(around(center, MARKER_RADIUS)))
        .count();
    let segments = lines.iter().flat_map(|line| line.windows(2));
    let crossed = segments
        .filter(|pair| place.clip(pair[0], pair[1]).is_some())
        .count();
    let near = point(
        at.x.clamp(place.left, place.right),
        at.y.clamp(place.top, place.bottom),
    );
    let through = taken
        .iter()
        .filter(|other| !other.overlaps(around(at, 0.1)) && other.clip(at, near).is_some())
        .count();
    COVERED * (texts + points + through) + crossed
}

fn around(center: Point, radius: f64) -> Rect {
    Rect {
        left: center.x,
        top: center.y,
        right: center.x,
        bottom: center.y,
    }
    .grown(radius)
}
