//! The error of everything that reads configurations.
//!
//! Its `Display` is one line that says it all: place, key, value and what is allowed. As a [`miette::Diagnostic`] it
//! also carries the text with the span to underline, and help such as "did you mean".

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use thiserror::Error;

/// Longest excerpt of a file in a message, in characters.
const EXCERPT_LIMIT: usize = 60;

/// What is wrong, for code that reacts differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The file cannot be read.
    Read,
    /// The text is not TOML, or a key occurs twice.
    Syntax,
    /// A key or table that the schema does not have.
    UnknownKey,
    /// A required key is not there.
    MissingKey,
    /// The value is not of the key's type.
    WrongType,
    /// The value is not within the key's range.
    OutOfRange,
    /// The mark or the source of a value is missing or wrong.
    Mark,
    /// A rule over several keys is broken.
    Conflict,
}

/// What is wrong with a configuration, and where.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct ConfigError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    problem: Problem,
    /// Errors found beside this one.
    more: usize,
}

/// Where an error is.
#[derive(Debug)]
pub(crate) enum Place {
    /// In no known line of a file.
    Name(String),
    /// At a span of a file.
    Text {
        source: NamedSource<Arc<str>>,
        span: Range<usize>,
        line: usize,
        column: usize,
    },
    /// In an override. The text is `key=value`, the span that of the key or the value.
    Set {
        source: NamedSource<Arc<str>>,
        span: Range<usize>,
    },
}

/// An error without its place.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) kind: ErrorKind,
    /// Path of the key or table, if one is to blame.
    pub(crate) key: Option<String>,
    /// The value as written, if one is to blame.
    pub(crate) value: Option<String>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// Why a value does not fit its key.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl ConfigError {
    pub(crate) fn new(place: Place, problem: Problem) -> Self {
        Self(Box::new(Inner {
            place,
            problem,
            more: 0,
        }))
    }

    pub(crate) fn and_more(mut self, more: usize) -> Self {
        self.0.more = more;
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.problem.kind
    }

    /// Path of the key or table to blame.
    pub fn key(&self) -> Option<&str> {
        self.0.problem.key.as_deref()
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.0.problem.message
    }

    /// How to repair it, if known.
    pub fn help(&self) -> Option<&str> {
        self.0.problem.help.as_deref()
    }

    /// Line and column in the file, from 1, the column in characters.
    pub fn position(&self) -> Option<(usize, usize)> {
        match self.0.place {
            Place::Text { line, column, .. } => Some((line, column)),
            Place::Name(_) | Place::Set { .. } => None,
        }
    }
}

impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        match &self.0.place {
            Place::Name(_) => None,
            Place::Text { source, .. } | Place::Set { source, .. } => Some(source),
        }
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        match &self.0.place {
            Place::Name(_) => None,
            Place::Text { span, .. } | Place::Set { span, .. } => {
                let label =
                    LabeledSpan::new(Some(self.0.problem.message.clone()), span.start, span.len());
                Some(Box::new(std::iter::once(label)))
            }
        }
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Name(name) => write!(f, "{name}: ")?,
            Place::Text {
                source,
                line,
                column,
                ..
            } => write!(f, "{}:{line}:{column}: ", source.name())?,
            Place::Set { source, .. } => write!(f, "--set {}: ", excerpt(source.inner()))?,
        }
        // An override is a place that already names key and value.
        if let (Place::Name(_) | Place::Text { .. }, Some(key)) = (&self.place, &self.problem.key) {
            match &self.problem.value {
                Some(value) => write!(f, "{key} = {}: ", excerpt(value))?,
                None => write!(f, "{key}: ")?,
            }
        }
        write!(f, "{}", self.problem.message)?;
        match self.more {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

impl Place {
    pub(crate) fn text(name: &str, text: &Arc<str>, span: Range<usize>) -> Self {
        // The parser may point behind the end, which a renderer refuses.
        let span = span.start.min(text.len())..span.end.min(text.len());
        let (line, column) = line_and_column(text, span.start);
        Self::Text {
            source: NamedSource::new(name, Arc::clone(text)),
            span,
            line,
            column,
        }
    }

    pub(crate) fn set_key(key: &str, value: &str) -> Self {
        Self::Set {
            source: Self::assignment(key, value),
            span: 0..key.len(),
        }
    }

    pub(crate) fn set_value(key: &str, value: &str) -> Self {
        let span = key.len() + 1..key.len() + 1 + value.len();
        Self::Set {
            source: Self::assignment(key, value),
            span,
        }
    }

    fn assignment(key: &str, value: &str) -> NamedSource<Arc<str>> {
        NamedSource::new("--set", Arc::from(format!("{key}={value}")))
    }
}

impl Problem {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            key: None,
            value: None,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn of_key(self, key: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            ..self
        }
    }

    pub(crate) fn of_value(self, value: impl Into<String>) -> Self {
        Self {
            value: Some(value.into()),
            ..self
        }
    }

    pub(crate) fn with_help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }
}

impl From<Rejection> for Problem {
    fn from(
        Rejection {
            kind,
            message,
            help,
        }: Rejection,
    ) -> Self {
        Self {
            kind,
            key: None,
            value: None,
            message,
            help,
        }
    }
}

/// Line and column of a byte, from 1, the column in characters.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    // Bytes 0b10xx_xxxx continue a character.
    let column = 1 + before[line_start..]
        .iter()
        .filter(|byte| **byte & 0xC0 != 0x80)
        .count();
    (line, column)
}

/// A piece of a file, shortened to one line.
pub(crate) fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let short: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(EXCERPT_LIMIT)
        .collect();
    if short.len() == text.len() {
        short
    } else {
        short + "..."
    }
}
