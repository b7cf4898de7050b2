//! From a drawing to PDF: the same points and widths as in the SVG, texts as texts in a subset of the embedded font.

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point as PdfPoint, Transform};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};

use crate::canvas::{Op, Text};
use crate::error::FigureError;
use crate::figure::Figure;
use crate::font;
use crate::frame::Drawing;
use crate::geometry::Point;
use crate::style::Color;

pub(crate) fn write(drawing: &Drawing, figure: &Figure) -> Result<Vec<u8>, FigureError> {
    let refused = |what: &str| FigureError::Pdf(what.to_owned());
    let font = Font::new(font::bytes().to_vec().into(), 0)
        .ok_or_else(|| refused("the embedded font is not read"))?;
    let mut document = Document::new();
    let (width, height) = (single(drawing.page.width()), single(drawing.page.height()));
    let settings =
        PageSettings::from_wh(width, height).ok_or_else(|| refused("the page has no size"))?;
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    for op in drawing.canvas.ops() {
        draw(&mut surface, op, &font)?;
    }
    surface.finish();
    page.finish();
    let about = [Some(figure.summary()), figure.page().provenance.clone()];
    let about: Vec<String> = about.into_iter().flatten().collect();
    let mut metadata = Metadata::new()
        .language("en".to_owned())
        .creator(format!("dcom {}", env!("CARGO_PKG_VERSION")))
        .description(about.join("\n"));
    if let Some(title) = &figure.page().title {
        metadata = metadata.title(title.clone());
    }
    document.set_metadata(metadata);
    document
        .finish()
        .map_err(|error| FigureError::Pdf(format!("{error:?}")))
}

fn draw(surface: &mut Surface<'_>, op: &Op, font: &Font) -> Result<(), FigureError> {
    match op {
        Op::Stroke {
            points,
            width,
            color,
        } => {
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke {
                paint: paint(*color).into(),
                width: single(*width),
                ..Stroke::default()
            }));
            surface.draw_path(&path(points, false)?);
        }
        Op::Fill { points, color } => {
            surface.set_stroke(None);
            surface.set_fill(Some(filled(*color)));
            surface.draw_path(&path(points, true)?);
        }
        Op::Text(text) => write_text(surface, text, font),
    }
    Ok(())
}

fn path(points: &[Point], closed: bool) -> Result<krilla::geom::Path, FigureError> {
    let mut builder = PathBuilder::new();
    if let [first, more @ ..] = points {
        builder.move_to(single(first.x), single(first.y));
        for at in more {
            builder.line_to(single(at.x), single(at.y));
        }
    }
    if closed {
        builder.close();
    }
    builder
        .finish()
        .ok_or_else(|| FigureError::Pdf("a line without points".to_owned()))
}

fn write_text(surface: &mut Surface<'_>, text: &Text, font: &Font) {
    let glyphs: Vec<KrillaGlyph> = font::glyphs(&text.text)
        .into_iter()
        .map(|(glyph, range, advance)| {
            KrillaGlyph::new(
                GlyphId::new(glyph),
                single(advance),
                0.0,
                0.0,
                0.0,
                range,
                None,
            )
        })
        .collect();
    surface.set_stroke(None);
    surface.set_fill(Some(filled(text.color)));
    let (x, y) = (single(text.start.x), single(text.start.y));
    let turn = if text.upwards {
        Transform::from_row(0.0, -1.0, 1.0, 0.0, x, y)
    } else {
        Transform::from_row(1.0, 0.0, 0.0, 1.0, x, y)
    };
    surface.push_transform(&turn);
    let origin = PdfPoint::from_xy(0.0, 0.0);
    surface.draw_glyphs(
        origin,
        &glyphs,
        font.clone(),
        &text.text,
        single(text.size),
        false,
    );
    surface.pop();
}

fn filled(color: Color) -> Fill {
    Fill {
        paint: paint(color).into(),
        opacity: NormalizedF32::ONE,
        ..Fill::default()
    }
}

fn paint(Color(red, green, blue): Color) -> rgb::Color {
    rgb::Color::new(red, green, blue)
}

/// PDF writers compute in single precision, a ten-thousandth of a point on any page.
#[expect(
    clippy::cast_possible_truncation,
    reason = "lengths on a page are small"
)]
fn single(length: f64) -> f32 {
    length as f32
}
