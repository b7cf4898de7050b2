//! Points, rectangles and segments on the page. Lengths are in points (1/72 in); y grows downwards.

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

pub(crate) fn point(x: f64, y: f64) -> Point {
    Point { x, y }
}

impl Point {
    pub(crate) fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// The place `fraction` of the way to `other`.
    pub(crate) fn towards(self, other: Self, fraction: f64) -> Self {
        point(
            self.x + (other.x - self.x) * fraction,
            self.y + (other.y - self.y) * fraction,
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Rect {
    pub(crate) fn width(self) -> f64 {
        self.right - self.left
    }

    pub(crate) fn height(self) -> f64 {
        self.bottom - self.top
    }

    pub(crate) fn contains(self, inner: Self) -> bool {
        self.left <= inner.left
            && inner.right <= self.right
            && self.top <= inner.top
            && inner.bottom <= self.bottom
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    pub(crate) fn grown(self, by: f64) -> Self {
        Self {
            left: self.left - by,
            top: self.top - by,
            right: self.right + by,
            bottom: self.bottom + by,
        }
    }

    pub(crate) fn corners(self) -> [Point; 4] {
        [
            point(self.left, self.top),
            point(self.right, self.top),
            point(self.right, self.bottom),
            point(self.left, self.bottom),
        ]
    }

    /// The part of a segment inside the rectangle (Liang and Barsky, 1984).
    pub(crate) fn clip(self, from: Point, to: Point) -> Option<(Point, Point)> {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let edges = [
            (-dx, from.x - self.left),
            (dx, self.right - from.x),
            (-dy, from.y - self.top),
            (dy, self.bottom - from.y),
        ];
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        for (direction, room) in edges {
            if direction == 0.0 {
                if room < 0.0 {
                    return None;
                }
            } else if direction < 0.0 {
                enter = enter.max(room / direction);
            } else {
                leave = leave.min(room / direction);
            }
        }
        (enter < leave).then(|| (from.towards(to, enter), from.towards(to, leave)))
    }
}

/// Cuts a polyline into the drawn pieces of a dash pattern: lengths in turn drawn and skipped, an even number of them; none
/// means solid.
pub(crate) fn dashes(line: &[Point], pattern: &[f64]) -> Vec<Vec<Point>> {
    let Some((&first, &start)) = pattern.first().zip(line.first()) else {
        return vec![line.to_vec()];
    };
    assert!(
        pattern.len().is_multiple_of(2) && pattern.iter().all(|&length| length > 0.0),
        "dash pattern {pattern:?} must alternate positive drawn and skipped lengths"
    );
    let mut pieces = vec![vec![start]];
    let (mut index, mut left) = (0, first);
    for pair in line.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        while from.distance(to) > left {
            from = from.towards(to, left / from.distance(to));
            let drawn = index % 2 == 0;
            if drawn {
                pieces.last_mut().expect("starts with one piece").push(from);
            } else {
                pieces.push(vec![from]);
            }
            index = (index + 1) % pattern.len();
            left = pattern[index];
        }
        left -= from.distance(to);
        if index % 2 == 0 {
            pieces.last_mut().expect("starts with one piece").push(to);
        }
    }
    pieces.retain(|piece| piece.len() > 1);
    pieces
}
