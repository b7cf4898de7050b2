//! What is wrong with a sweep file, and where.

use std::ops::Range;

use dcom_config::{ConfigError, Source};
use thiserror::Error;

/// A sweep file that is not one.
#[derive(Debug, Error)]
pub enum SpecError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] Box<ConfigError>),
    /// A line is wrong.
    #[error(transparent)]
    Wrong(#[from] Box<Mistake>),
}

/// A place in a sweep file and what is wrong there.
#[derive(Clone, Debug, Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
    /// The text of the file.
    pub text: String,
    /// Bytes of the text that are to blame.
    pub span: Range<usize>,
}

impl Mistake {
    pub(crate) fn at(source: &Source, span: Range<usize>, message: impl Into<String>) -> SpecError {
        let text = &source.text;
        // Parsers may point behind the end; what they point at begins a character.
        let start = span.start.min(text.len());
        let start = (0..=start)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .expect("0 is a boundary");
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        SpecError::Wrong(Box::new(Mistake {
            file: source.name.clone(),
            line: 1 + before.matches('\n').count(),
            column: 1 + before[line_start..].chars().count(),
            message: message.into(),
            text: text.clone(),
            span: start..span.end.clamp(start, text.len()),
        }))
    }
}
