//! How series are told apart: by colour, by lightness, and without colour by dash pattern and marker, or by hatching.
//!
//! The colours are those of Okabe and Ito, "Color Universal Design" (2008), safe for all common colour blindness, ordered from
//! dark to light so that the order survives in grey. Lines leave yellow out, which is invisible on white, and have the grey that
//! later editions of the palette add instead.

use crate::geometry::{Point, point};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Color(pub(crate) u8, pub(crate) u8, pub(crate) u8);

pub(crate) const BLACK: Color = Color(0, 0, 0);
pub(crate) const WHITE: Color = Color(255, 255, 255);
/// Text and axes.
pub(crate) const INK: Color = Color(0x22, 0x22, 0x22);
pub(crate) const GRID: Color = Color(0xDD, 0xDD, 0xDD);

/// Sizes in points; nothing is below 7 pt, the least that IEEE asks for in figures.
pub(crate) const TITLE_SIZE: f64 = 9.0;
pub(crate) const LABEL_SIZE: f64 = 8.0;
pub(crate) const TICK_SIZE: f64 = 7.5;
pub(crate) const LEGEND_SIZE: f64 = 7.5;
pub(crate) const NOTE_SIZE: f64 = 7.0;

pub(crate) const SERIES_LINE: f64 = 1.1;
pub(crate) const AXIS_LINE: f64 = 0.7;
pub(crate) const GRID_LINE: f64 = 0.4;
pub(crate) const HAIR_LINE: f64 = 0.5;

/// The look of the n-th series.
#[derive(Debug)]
pub(crate) struct SeriesStyle {
    pub(crate) color: Color,
    /// Lengths drawn and skipped [pt]; empty is solid.
    pub(crate) dash: &'static [f64],
    pub(crate) marker: Shape,
    /// For bars: one colour on, because black areas are heavy and yellow ones are visible.
    pub(crate) fill: Color,
    pub(crate) hatch: Hatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
    Plus,
    TriangleDown,
    Pentagon,
    /// Only for annotated points.
    Star,
}

/// Lines over the fill of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hatch {
    None,
    Rising,
    Falling,
    Horizontal,
    Vertical,
    Diamonds,
    Squares,
    RisingDense,
}

/// Number of series that can be told apart.
pub(crate) const COUNT: usize = STYLES.len();

const BLUE: Color = Color(0x00, 0x72, 0xB2);
const VERMILION: Color = Color(0xD5, 0x5E, 0x00);
const GREEN: Color = Color(0x00, 0x9E, 0x73);
const PURPLE: Color = Color(0xCC, 0x79, 0xA7);
pub(crate) const GREY: Color = Color(0x99, 0x99, 0x99);
const SKY: Color = Color(0x56, 0xB4, 0xE9);
const ORANGE: Color = Color(0xE6, 0x9F, 0x00);
const YELLOW: Color = Color(0xF0, 0xE4, 0x42);

pub(crate) const STYLES: [SeriesStyle; 8] = [
    SeriesStyle {
        color: BLACK,
        dash: &[],
        marker: Shape::Circle,
        fill: BLUE,
        hatch: Hatch::None,
    },
    SeriesStyle {
        color: BLUE,
        dash: &[5.0, 1.8],
        marker: Shape::Square,
        fill: VERMILION,
        hatch: Hatch::Rising,
    },
    SeriesStyle {
        color: VERMILION,
        dash: &[1.3, 1.3],
        marker: Shape::Triangle,
        fill: GREEN,
        hatch: Hatch::Falling,
    },
    SeriesStyle {
        color: GREEN,
        dash: &[5.0, 1.5, 1.3, 1.5],
        marker: Shape::Diamond,
        fill: PURPLE,
        hatch: Hatch::Horizontal,
    },
    SeriesStyle {
        color: PURPLE,
        dash: &[9.0, 2.5],
        marker: Shape::Cross,
        fill: GREY,
        hatch: Hatch::Vertical,
    },
    SeriesStyle {
        color: GREY,
        dash: &[2.6, 2.2],
        marker: Shape::Plus,
        fill: SKY,
        hatch: Hatch::Diamonds,
    },
    SeriesStyle {
        color: SKY,
        dash: &[5.0, 1.5, 1.3, 1.5, 1.3, 1.5],
        marker: Shape::TriangleDown,
        fill: ORANGE,
        hatch: Hatch::RisingDense,
    },
    SeriesStyle {
        color: ORANGE,
        dash: &[9.0, 2.0, 2.6, 2.0],
        marker: Shape::Pentagon,
        fill: YELLOW,
        hatch: Hatch::Squares,
    },
];

/// The outline of a marker: closed shapes are filled, open ones are strokes.
pub(crate) enum Outline {
    Closed(Vec<Point>),
    Strokes(Vec<[Point; 2]>),
}

impl Shape {
    pub(crate) fn is_open(self) -> bool {
        matches!(self.outline(point(0.0, 0.0), 1.0), Outline::Strokes(_))
    }

    /// The outline around `center`; `radius` [pt] is that of the circle, the other shapes have about its area.
    pub(crate) fn outline(self, center: Point, radius: f64) -> Outline {
        let at = |x: f64, y: f64| point(center.x + x * radius, center.y + y * radius);
        let polygon = |corners: u32, size: f64, first_degrees: f64| {
            let corner = |index: u32| {
                let angle =
                    (first_degrees + 360.0 * f64::from(index) / f64::from(corners)).to_radians();
                at(size * angle.cos(), size * angle.sin())
            };
            Outline::Closed((0..corners).map(corner).collect())
        };
        match self {
            Self::Circle => polygon(32, 1.0, 0.0),
            Self::Square => polygon(4, 1.25, 45.0),
            Self::Triangle => polygon(3, 1.4, -90.0),
            Self::Diamond => polygon(4, 1.4, 0.0),
            Self::TriangleDown => polygon(3, 1.4, 90.0),
            Self::Pentagon => polygon(5, 1.2, -90.0),
            Self::Cross => Outline::Strokes(vec![
                [at(-1.0, -1.0), at(1.0, 1.0)],
                [at(-1.0, 1.0), at(1.0, -1.0)],
            ]),
            Self::Plus => Outline::Strokes(vec![
                [at(-1.3, 0.0), at(1.3, 0.0)],
                [at(0.0, -1.3), at(0.0, 1.3)],
            ]),
            Self::Star => {
                let tip = |index: u32| {
                    let angle = (-90.0 + 36.0 * f64::from(index)).to_radians();
                    let reach = if index.is_multiple_of(2) { 1.6 } else { 0.64 };
                    at(reach * angle.cos(), reach * angle.sin())
                };
                Outline::Closed((0..10).map(tip).collect())
            }
        }
    }
}

impl Color {
    /// The colour on a quarter of the area of white paper.
    pub(crate) fn tint(self) -> Self {
        let mixed = |channel: u8| u8::MAX - (u8::MAX - channel) / 4;
        Self(mixed(self.0), mixed(self.1), mixed(self.2))
    }

    /// Lightness L* of CIE 1976, 0 (black) to 100 (white).
    pub(crate) fn lightness(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        let luminance = 0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2);
        if luminance > 0.008_856 {
            116.0 * luminance.cbrt() - 16.0
        } else {
            903.3 * luminance
        }
    }
}
