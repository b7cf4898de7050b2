//! From a drawing to the bytes of a file.
//!
//! Both formats start from the same SVG, parsed with the embedded font as the only one: the SVG file is that SVG with texts as
//! outlines, the PNG file is its raster. Nothing depends on the machine.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, WriteOptions, fontdb::Database};

use crate::canvas::extent;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::font;
use crate::frame::{DOTS_PER_INCH, Drawing, POINTS_PER_INCH};

/// CSS pixels per inch, by definition.
const PIXELS_PER_INCH: f64 = 96.0;

pub(crate) fn svg(drawing: &Drawing, figure: &Figure) -> Result<String, FigureError> {
    let tree = tree(drawing)?;
    // The unit is a hundredth of a point: fractions of it are beyond any printer and would double the size of the file.
    let options = WriteOptions {
        coordinates_precision: 0,
        ..WriteOptions::default()
    };
    let outlined = tree.to_string(&options);
    let body = outlined.split_once('>').map(|(_, rest)| rest);
    let body = body.ok_or_else(|| FigureError::Draw("usvg wrote no <svg> element".to_owned()))?;
    let (width, height) = (drawing.page.width(), drawing.page.height());
    let mut head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{}in\" height=\"{}in\" viewBox=\"0 0 {} {}\">\n",
        decimal(width / POINTS_PER_INCH),
        decimal(height / POINTS_PER_INCH),
        decimal(width / POINTS_PER_INCH * PIXELS_PER_INCH),
        decimal(height / POINTS_PER_INCH * PIXELS_PER_INCH),
    );
    if let Some(title) = &figure.page().title {
        head += &format!("    <title>{}</title>\n", escape(title));
    }
    let description = [Some(figure.summary()), figure.page().provenance.clone()];
    let description: Vec<String> = description.into_iter().flatten().collect();
    head += &format!("    <desc>{}</desc>", escape(&description.join("\n")));
    Ok(head + body)
}

pub(crate) fn png(drawing: &Drawing, figure: &Figure) -> Result<Vec<u8>, FigureError> {
    let tree = tree(drawing)?;
    let dots = |length: f64| extent(length / POINTS_PER_INCH * DOTS_PER_INCH) / extent(1.0);
    let (width, height) = (dots(drawing.page.width()), dots(drawing.page.height()));
    let mut pixels = Pixmap::new(width, height)
        .ok_or_else(|| FigureError::Draw(format!("no picture has {width} x {height} pixels")))?;
    pixels.fill(resvg::tiny_skia::Color::WHITE);
    let ratio = |dots: u32, size: f32| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the renderer computes in single precision"
        )]
        let ratio = (f64::from(dots) / f64::from(size)) as f32;
        ratio
    };
    let scale = Transform::from_scale(
        ratio(width, tree.size().width()),
        ratio(height, tree.size().height()),
    );
    resvg::render(&tree, scale, &mut pixels.as_mut());
    encode(&pixels, figure)
}

/// An opaque RGB picture that knows its resolution, so that it is included in print size.
fn encode(pixels: &Pixmap, figure: &Figure) -> Result<Vec<u8>, FigureError> {
    /// 300 dots per inch.
    const DOTS_PER_METRE: u32 = 11811;
    let rgb: Vec<u8> = pixels
        .pixels()
        .iter()
        .flat_map(|dot| [dot.red(), dot.green(), dot.blue()])
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: DOTS_PER_METRE,
        yppu: DOTS_PER_METRE,
        unit: png::Unit::Meter,
    }));
    if let Some(title) = &figure.page().title {
        encoder.add_itxt_chunk("Title".to_owned(), title.clone())?;
    }
    encoder.add_itxt_chunk("Description".to_owned(), figure.summary())?;
    if let Some(provenance) = &figure.page().provenance {
        encoder.add_itxt_chunk("Source".to_owned(), provenance.clone())?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(bytes)
}

/// The drawing as an SVG with `<text>` elements; only for conversion and tests, since it needs the font.
pub(crate) fn source(drawing: &Drawing) -> Result<String, FigureError> {
    let (width, height) = (drawing.page.width(), drawing.page.height());
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\">\n{}\n</svg>\n",
        decimal(width / POINTS_PER_INCH * PIXELS_PER_INCH),
        decimal(height / POINTS_PER_INCH * PIXELS_PER_INCH),
        extent(width),
        extent(height),
        drawing.canvas.svg_elements(drawing.page)?,
    ))
}

pub(crate) fn tree(drawing: &Drawing) -> Result<Tree, FigureError> {
    let mut fonts = Database::new();
    fonts.load_font_data(font::bytes().to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let options = Options {
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    Ok(Tree::from_str(&source(drawing)?, &options)?)
}

/// At most four decimals, without trailing zeros.
fn decimal(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
