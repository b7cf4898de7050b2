//! The one font of all figures and its metrics.
//!
//! DejaVu Sans Condensed 2.37 (Bitstream Vera licence, free to embed and redistribute): readable at 7 pt, narrow enough for a
//! column, with Greek letters, superscripts and the usual signs.

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

/// Baseline to the top of a capital, per point of size.
pub(crate) const CAPITAL: f64 = 0.73;
/// Baseline to the bottom of a `p`, per point of size.
pub(crate) const DESCENT: f64 = 0.24;
/// Distance between the baselines of wrapped text, per point of size.
pub(crate) const LEADING: f64 = 1.2;

/// The font file.
pub(crate) fn bytes() -> &'static [u8] {
    dejavu::sans_condensed::regular()
}

/// The advance width of `text` at `size`, without kerning and ligatures, which in this font change less than 2 %. [pt]
pub(crate) fn width(text: &str, size: f64) -> f64 {
    // Metrics in em are read at 1000 units, because the library computes in single precision.
    const RESOLUTION: f32 = 1000.0;
    let font = font();
    let (characters, metrics) = (
        font.charmap(),
        font.glyph_metrics(Size::new(RESOLUTION), LocationRef::default()),
    );
    let advances = text
        .chars()
        .filter_map(|character| metrics.advance_width(characters.map(character)?));
    f64::from(advances.sum::<f32>()) / f64::from(RESOLUTION) * size
}

/// The glyphs of `text`: index, bytes of the text, and advance in em.
pub(crate) fn glyphs(text: &str) -> Vec<(u32, std::ops::Range<usize>, f64)> {
    let font = font();
    let characters = font.charmap();
    text.char_indices()
        .filter_map(|(start, character)| {
            let glyph = characters.map(character)?;
            let range = start..start + character.len_utf8();
            Some((
                glyph.to_u32(),
                range,
                width(&text[start..start + character.len_utf8()], 1.0),
            ))
        })
        .collect()
}

/// The first character of `text` that the font cannot show.
pub(crate) fn missing_glyph(text: &str) -> Option<char> {
    let font = font();
    let characters = font.charmap();
    text.chars()
        .find(|&character| characters.map(character).is_none())
}

/// `text` in lines of at most `room` [pt], broken between words; a word that is too wide has a line of its own.
pub(crate) fn wrap(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line} {word}");
            if width(&longer, size) <= room {
                *line = longer;
                continue;
            }
        }
        lines.push(word.to_owned());
    }
    lines
}

fn font() -> FontRef<'static> {
    FontRef::new(bytes()).expect("the embedded font is a valid font")
}
