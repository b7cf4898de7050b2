//! A list of what is drawn, in points, and its translation to SVG through plotters.
//!
//! plotters works on integer pixels, has no dash patterns and estimates text widths 7 % too wide for this font; so a pixel is
//! a hundredth of a point here, dashes are cut beforehand, and texts are placed by `font` and handed over by their left end.

use plotters::prelude::{
    DrawingBackend as _, IntoTextStyle as _, RGBColor, SVGBackend, ShapeStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontStyle, FontTransform, TextStyle};

use crate::error::FigureError;
use crate::font;
use crate::geometry::{Point, Rect, dashes, point};
use crate::style::{Color, Hatch, Outline, Shape};

/// plotters pixels per point.
const UNITS: f64 = 100.0;
/// plotters divides font sizes by this before it writes them.
const FONT_SIZE_FACTOR: f64 = 1.24;
/// Where plotters puts the baseline below an anchor at the top, per font size.
const TOP_TO_BASELINE: f64 = 0.76;

#[derive(Debug, Default)]
pub(crate) struct Canvas {
    ops: Vec<Op>,
}

#[derive(Debug)]
pub(crate) enum Op {
    Stroke {
        points: Vec<Point>,
        width: f64,
        color: Color,
    },
    Fill {
        points: Vec<Point>,
        color: Color,
    },
    Text(Text),
}

/// A line of text.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// The left end of the baseline; for text that reads upwards, its lower end.
    pub(crate) start: Point,
    pub(crate) size: f64,
    pub(crate) upwards: bool,
    pub(crate) color: Color,
}

impl Text {
    /// The room the text takes.
    pub(crate) fn bounds(&self) -> Rect {
        let (width, Point { x, y }) = (font::width(&self.text, self.size), self.start);
        let (above, below) = (TOP_TO_BASELINE * self.size, font::DESCENT * self.size);
        if self.upwards {
            Rect {
                left: x - above,
                top: y - width,
                right: x + below,
                bottom: y,
            }
        } else {
            Rect {
                left: x,
                top: y - above,
                right: x + width,
                bottom: y + below,
            }
        }
    }
}

/// Where a text stands relative to the point it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Start,
    Middle,
    End,
}

impl Align {
    pub(crate) fn shift(self, width: f64) -> f64 {
        match self {
            Self::Start => 0.0,
            Self::Middle => width / 2.0,
            Self::End => width,
        }
    }
}

impl Canvas {
    pub(crate) fn stroke(&mut self, points: &[Point], width: f64, color: Color) {
        self.ops.push(Op::Stroke {
            points: points.to_vec(),
            width,
            color,
        });
    }

    pub(crate) fn dashed(&mut self, points: &[Point], pattern: &[f64], width: f64, color: Color) {
        for piece in dashes(points, pattern) {
            self.stroke(&piece, width, color);
        }
    }

    pub(crate) fn fill(&mut self, points: &[Point], color: Color) {
        self.ops.push(Op::Fill {
            points: points.to_vec(),
            color,
        });
    }

    /// Text with its baseline through `at`.
    pub(crate) fn text(&mut self, text: &str, size: f64, color: Color, at: Point, align: Align) {
        let start = point(at.x - align.shift(font::width(text, size)), at.y);
        self.ops.push(Op::Text(Text {
            text: text.to_owned(),
            start,
            size,
            upwards: false,
            color,
        }));
    }

    /// Text that reads upwards, with its baseline through `at`.
    pub(crate) fn text_upwards(
        &mut self,
        text: &str,
        size: f64,
        color: Color,
        at: Point,
        align: Align,
    ) {
        let start = point(at.x, at.y + align.shift(font::width(text, size)));
        self.ops.push(Op::Text(Text {
            text: text.to_owned(),
            start,
            size,
            upwards: true,
            color,
        }));
    }

    /// A marker with a white or a coloured inside.
    pub(crate) fn marker(
        &mut self,
        shape: Shape,
        center: Point,
        radius: f64,
        color: Color,
        inside: Color,
    ) {
        const LINE: f64 = 0.8;
        match shape.outline(center, radius) {
            Outline::Closed(mut corners) => {
                self.fill(&corners, inside);
                // The first side is drawn twice, so that no corner is left without its join.
                corners.extend_from_within(..2);
                self.stroke(&corners, LINE, color);
            }
            Outline::Strokes(strokes) => {
                for stroke in strokes {
                    self.stroke(&stroke, 1.5 * LINE, color);
                }
            }
        }
    }

    /// A filled rectangle with a hatch and a thin outline.
    pub(crate) fn bar(&mut self, bar: Rect, color: Color, hatch: Hatch, outline: Color) {
        const SPACING: f64 = 3.2;
        const MIDDLE_LIGHTNESS: f64 = 65.0;
        self.fill(&bar.corners(), color);
        let ink = if color.lightness() < MIDDLE_LIGHTNESS {
            crate::style::WHITE
        } else {
            crate::style::BLACK
        };
        let directions: &[(f64, f64, f64)] = match hatch {
            Hatch::None => &[],
            Hatch::Rising => &[(1.0, -1.0, SPACING)],
            Hatch::Falling => &[(1.0, 1.0, SPACING)],
            Hatch::Horizontal => &[(1.0, 0.0, SPACING)],
            Hatch::Vertical => &[(0.0, 1.0, SPACING)],
            Hatch::Diamonds => &[(1.0, -1.0, SPACING), (1.0, 1.0, SPACING)],
            Hatch::Squares => &[(1.0, 0.0, SPACING), (0.0, 1.0, SPACING)],
            Hatch::RisingDense => &[(1.0, -1.0, SPACING / 2.0)],
        };
        for &(dx, dy, spacing) in directions {
            for (from, to) in hatch_lines(bar, point(dx, dy), spacing) {
                self.stroke(&[from, to], 0.5, ink);
            }
        }
        let mut corners = bar.corners().to_vec();
        corners.extend_from_within(..2);
        self.stroke(&corners, crate::style::HAIR_LINE, outline);
    }

    pub(crate) fn ops(&self) -> &[Op] {
        &self.ops
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &Text> {
        self.ops.iter().filter_map(|op| match op {
            Op::Text(text) => Some(text),
            Op::Stroke { .. } | Op::Fill { .. } => None,
        })
    }

    /// The elements of an SVG whose coordinates are hundredths of a point, without the enclosing `<svg>`.
    pub(crate) fn svg_elements(&self, page: Rect) -> Result<String, FigureError> {
        let mut svg = String::new();
        let mut backend =
            SVGBackend::with_string(&mut svg, (extent(page.width()), extent(page.height())));
        for op in &self.ops {
            let drawn = match op {
                Op::Stroke {
                    points,
                    width,
                    color,
                } => backend.draw_path(
                    points.iter().map(|&at| pixel(at)),
                    &shape_style(*color, *width),
                ),
                Op::Fill { points, color } => backend.fill_polygon(
                    points.iter().map(|&at| pixel(at)),
                    &shape_style(*color, 0.0),
                ),
                Op::Text(text) => {
                    let lift = TOP_TO_BASELINE * text.size;
                    let anchor = if text.upwards {
                        point(text.start.x - lift, text.start.y)
                    } else {
                        point(text.start.x, text.start.y - lift)
                    };
                    backend.draw_text(&text.text, &text_style(text), pixel(anchor))
                }
            };
            drawn.map_err(|error| FigureError::Draw(error.to_string()))?;
        }
        backend
            .present()
            .map_err(|error| FigureError::Draw(error.to_string()))?;
        drop(backend);
        // plotters sizes the page in pixels; the caller writes a page in inches instead.
        let body = svg
            .split_once('>')
            .and_then(|(_, rest)| rest.rsplit_once("</svg>"));
        let (elements, _) =
            body.ok_or_else(|| FigureError::Draw("plotters wrote no <svg> element".to_owned()))?;
        Ok(elements.trim().to_owned())
    }
}

/// A length in plotters pixels.
pub(crate) fn extent(length: f64) -> u32 {
    let units = (length * UNITS).round();
    assert!(
        (0.0..=f64::from(u32::MAX)).contains(&units),
        "a length of {length} pt on a page"
    );
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded, and the range is checked"
    )]
    let units = units as u32;
    units
}

fn pixel(at: Point) -> (i32, i32) {
    let coordinate = |length: f64| {
        let units = (length * UNITS).round();
        assert!(
            units.abs() <= f64::from(i32::MAX),
            "a coordinate of {length} pt on a page"
        );
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounded, and the range is checked"
        )]
        let units = units as i32;
        units
    };
    (coordinate(at.x), coordinate(at.y))
}

fn shape_style(Color(red, green, blue): Color, width: f64) -> ShapeStyle {
    ShapeStyle {
        color: RGBColor(red, green, blue).into(),
        filled: false,
        stroke_width: extent(width),
    }
}

fn text_style(text: &Text) -> TextStyle<'static> {
    let Color(red, green, blue) = text.color;
    let font = FontDesc::new(
        FontFamily::SansSerif,
        text.size * UNITS * FONT_SIZE_FACTOR,
        FontStyle::Normal,
    );
    let turned = if text.upwards {
        font.transform(FontTransform::Rotate270)
    } else {
        font
    };
    let style = turned
        .with_color(RGBColor(red, green, blue))
        .with_anchor::<RGBColor>(Pos::new(HPos::Left, VPos::Top));
    style.into_text_style(&(1, 1))
}

/// The parts inside `area` of parallel lines along `direction`, `spacing` apart, at places that depend on the area's own corner.
fn hatch_lines(area: Rect, direction: Point, spacing: f64) -> Vec<(Point, Point)> {
    let length = direction.x.hypot(direction.y);
    let (along, across) = (
        point(direction.x / length, direction.y / length),
        point(-direction.y / length, direction.x / length),
    );
    let reach = area.width() + area.height();
    let mut lines = Vec::new();
    let mut offset = -reach + spacing / 2.0;
    while offset < reach {
        let base = point(
            area.left + across.x * offset,
            area.bottom + across.y * offset,
        );
        let from = point(base.x - along.x * reach, base.y - along.y * reach);
        let to = point(base.x + along.x * reach, base.y + along.y * reach);
        lines.extend(area.clip(from, to));
        offset += spacing;
    }
    lines
}
