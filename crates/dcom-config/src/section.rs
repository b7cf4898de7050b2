//! Files with tables that repeat, such as `[[op]]`: read table by table, with the same errors as files by schema.
//!
//! [`schema!`](crate::schema!) suits files of fixed keys. Here the code that reads a table names its keys; a key that
//! it does not name is refused first, with a suggestion, so a misspelt key is never reported as a missing one.
//!
//! ```
//! use dcom_config::{Source, read_sections};
//!
//! let source = Source::new("steps.toml", "[[step]]\nname = \"a\"\ncount = 3\n");
//! let steps = read_sections(&source, &["step"], |file| {
//!     let steps = file.sections("step", &["name", "count"])?;
//!     steps.iter().map(|step| Ok((step.text("name")?.value, step.integer("count", 1..=9)?.value))).collect::<Result<Vec<_>, _>>()
//! })?;
//! assert_eq!(steps, [("a".to_owned(), 3)]);
//!
//! let wrong = Source::new("steps.toml", "[[step]]\nnmae = \"a\"\n");
//! let error = read_sections(&wrong, &["step"], |file| file.sections("step", &["name"]).map(drop)).unwrap_err();
//! assert_eq!(error.to_string(), "steps.toml:2:1: step.nmae: unknown key");
//! assert_eq!(error.help(), Some("did you mean `name`?"));
//! # Ok::<(), dcom_config::ConfigError>(())
//! ```

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{ConfigError, ErrorKind, Place, Problem};
use crate::key::{KeyInfo, Kind};
use crate::reader::{join, syntax_error};
use crate::source::Source;
use crate::suggest;
use crate::value::Value;

/// The text that sections lie in.
#[derive(Debug)]
struct File {
    name: String,
    text: Arc<str>,
}

/// A table of a file.
#[derive(Debug)]
pub struct Section<'a> {
    file: &'a File,
    path: String,
    table: &'a DeTable<'a>,
    /// The table's header; nothing for the file itself.
    span: Option<Range<usize>>,
}

/// A value and its place in the file.
#[derive(Clone, Debug)]
pub struct At<'a, T> {
    /// The value.
    pub value: T,
    file: &'a File,
    path: String,
    span: Range<usize>,
}

/// Parses a file and reads it: `known` are the tables and keys at its top.
///
/// # Errors
/// The syntax, an unknown table, or what `read` finds.
pub fn read_sections<T>(
    source: &Source,
    known: &[&str],
    read: impl FnOnce(&Section<'_>) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let file = File {
        name: source.name.clone(),
        text: source.text.as_str().into(),
    };
    let root = DeTable::parse(&file.text).map_err(|e| syntax_error(&file.name, &file.text, &e))?;
    let section = Section {
        file: &file,
        path: String::new(),
        table: root.get_ref(),
        span: None,
    };
    section.only(known)?;
    read(&section)
}

impl<'a> Section<'a> {
    /// Whether the table has a key.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A text that must be there: one line, not empty.
    ///
    /// # Errors
    /// It is missing or no such text; the same holds for the other readers of values.
    pub fn text(&self, key: &str) -> Result<At<'a, String>, ConfigError> {
        self.find(key, || "a text in quotes".to_owned())
            .and_then(text)
    }

    /// A text that may be missing.
    ///
    /// # Errors
    /// It is no text of one line.
    pub fn optional_text(&self, key: &str) -> Result<Option<At<'a, String>>, ConfigError> {
        self.get(key).map(text).transpose()
    }

    /// An integer that must be there.
    ///
    /// # Errors
    /// It is missing or not within the range.
    pub fn integer(
        &self,
        key: &str,
        range: RangeInclusive<u64>,
    ) -> Result<At<'a, u64>, ConfigError> {
        let expected = || format!("an integer in {}..={}", range.start(), range.end());
        self.find(key, expected)
            .and_then(|item| item.integer(range.clone()))
    }

    /// A finite number that must be there.
    ///
    /// # Errors
    /// It is missing or not within the range.
    pub fn number(
        &self,
        key: &str,
        range: RangeInclusive<f64>,
    ) -> Result<At<'a, f64>, ConfigError> {
        let expected = || format!("a number in {:?}..={:?}", range.start(), range.end());
        self.find(key, expected)
            .and_then(|item| item.number(range.clone()))
    }

    /// One of several words, which must be there.
    ///
    /// # Errors
    /// It is missing or another word.
    pub fn choice<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
    ) -> Result<At<'a, T>, ConfigError> {
        let expected = || format!("one of {}", quoted(words.iter().map(|(word, _)| *word)));
        let found = self.find(key, expected).and_then(text)?;
        let known = words.iter().find(|(word, _)| *word == found.value);
        match known {
            Some((_, meaning)) => Ok(found.with(*meaning)),
            None => {
                let near = suggest::nearest(&found.value, words.iter().map(|(word, _)| *word));
                let help = near.map(|word| format!("did you mean \"{word}\"?"));
                Err(found.error(format!("must be {}", expected()), help))
            }
        }
    }

    /// The items of a list; none if the key is missing.
    ///
    /// # Errors
    /// The value is no list.
    pub fn list(&self, key: &str) -> Result<Vec<At<'a, &'a DeValue<'a>>>, ConfigError> {
        let Some(found) = self.get(key) else {
            return Ok(Vec::new());
        };
        let DeValue::Array(items) = found.value else {
            return Err(found.error("must be a list, [..., ...]", None));
        };
        let item = |(i, item): (usize, &'a Spanned<DeValue<'a>>)| At {
            value: item.get_ref(),
            file: self.file,
            path: format!("{}[{i}]", found.path),
            span: item.span(),
        };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// The entries of a table of free keys; none if it is missing.
    ///
    /// # Errors
    /// The value is no table.
    pub fn entries(
        &self,
        key: &str,
    ) -> Result<Vec<(String, At<'a, &'a DeValue<'a>>)>, ConfigError> {
        let Some(found) = self.get(key) else {
            return Ok(Vec::new());
        };
        let DeValue::Table(table) = found.value else {
            return Err(found.error("must be a table, { key = value, ... }", None));
        };
        let entry = |(key, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| {
            let name = AsRef::<str>::as_ref(Spanned::<std::borrow::Cow<'a, str>>::get_ref(key));
            let at = At {
                value: value.get_ref(),
                file: self.file,
                path: join(&found.path, name),
                span: value.span(),
            };
            (name.to_owned(), at)
        };
        Ok(table.iter().map(entry).collect())
    }

    /// A table that must be there; `known` are its keys.
    ///
    /// # Errors
    /// It is missing, no table, or has an unknown key.
    pub fn section(&self, key: &str, known: &[&str]) -> Result<Section<'a>, ConfigError> {
        let found = self.find(key, || "a table".to_owned())?;
        found.section(known)
    }

    /// The tables `[[key]]`; `known` are the keys of each.
    ///
    /// # Errors
    /// It is no list of tables, or one has an unknown key.
    pub fn sections(&self, key: &str, known: &[&str]) -> Result<Vec<Section<'a>>, ConfigError> {
        let Some(found) = self.get(key) else {
            return Ok(Vec::new());
        };
        let DeValue::Array(items) = found.value else {
            return Err(found.error(format!("must be tables, each headed [[{key}]]"), None));
        };
        let section = |item: &'a Spanned<DeValue<'a>>| {
            let at = At {
                value: item.get_ref(),
                file: self.file,
                path: found.path.clone(),
                span: item.span(),
            };
            at.section(known)
        };
        items.iter().map(section).collect()
    }

    /// An error about the table as a whole.
    pub fn error(&self, message: impl Into<String>, help: Option<String>) -> ConfigError {
        let mut problem = Problem::new(ErrorKind::Conflict, message).with_help(help);
        if !self.path.is_empty() {
            problem = problem.of_key(&self.path);
        }
        self.file.error(self.span.clone(), problem)
    }

    fn get(&self, key: &str) -> Option<At<'a, &'a DeValue<'a>>> {
        self.table.get(key).map(|value| At {
            value: value.get_ref(),
            file: self.file,
            path: join(&self.path, key),
            span: value.span(),
        })
    }

    fn find(
        &self,
        key: &str,
        expected: impl FnOnce() -> String,
    ) -> Result<At<'a, &'a DeValue<'a>>, ConfigError> {
        self.get(key).ok_or_else(|| {
            let message = format!("is missing: {}", expected());
            let problem =
                Problem::new(ErrorKind::MissingKey, message).of_key(join(&self.path, key));
            self.file.error(self.span.clone(), problem)
        })
    }

    /// Refuses keys that are not known.
    fn only(&self, known: &[&str]) -> Result<(), ConfigError> {
        let unknown = self
            .table
            .iter()
            .filter(|(key, _)| !known.contains(&key.get_ref().as_ref()))
            .min_by_key(|(key, _)| key.span().start);
        let Some((key, _)) = unknown else {
            return Ok(());
        };
        let help = match suggest::nearest(key.get_ref(), known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the keys here: {}", known.join(", ")),
        };
        let problem = Problem::new(ErrorKind::UnknownKey, "unknown key")
            .of_key(join(&self.path, key.get_ref()))
            .with_help(Some(help));
        Err(self.file.error(Some(key.span()), problem))
    }
}

impl<'a, T> At<'a, T> {
    /// Another value at the same place.
    pub fn with<U>(&self, value: U) -> At<'a, U> {
        At {
            value,
            file: self.file,
            path: self.path.clone(),
            span: self.span.clone(),
        }
    }

    /// What is wrong with the value, and what would be right.
    pub fn error(&self, message: impl Into<String>, help: Option<String>) -> ConfigError {
        self.fail(ErrorKind::Conflict, message, help)
    }

    /// The line of the value, from 1.
    pub fn line(&self) -> usize {
        crate::error::line_and_column(&self.file.text, self.span.start).0
    }

    fn fail(
        &self,
        kind: ErrorKind,
        message: impl Into<String>,
        help: Option<String>,
    ) -> ConfigError {
        let written = self.file.text.get(self.span.clone()).unwrap_or_default();
        let problem = Problem::new(kind, message)
            .of_key(&self.path)
            .of_value(written)
            .with_help(help);
        self.file.error(Some(self.span.clone()), problem)
    }
}

impl<'a> At<'a, &'a DeValue<'a>> {
    /// The item as a text of one line, or nothing.
    pub fn as_text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// The item as a text.
    ///
    /// # Errors
    /// It is no text of one line.
    pub fn text(self) -> Result<At<'a, String>, ConfigError> {
        text(self)
    }

    /// The item as an integer.
    ///
    /// # Errors
    /// It is no integer, or not within the range.
    pub fn integer(&self, range: RangeInclusive<u64>) -> Result<At<'a, u64>, ConfigError> {
        match self.read(Kind::u64(range))? {
            Value::Integer(value) => {
                Ok(self.with(u64::try_from(value).expect("within a range of u64")))
            }
            other => unreachable!("{other:?} for an integer"),
        }
    }

    /// The item as a finite number.
    ///
    /// # Errors
    /// It is no number, or not within the range.
    pub fn number(&self, range: RangeInclusive<f64>) -> Result<At<'a, f64>, ConfigError> {
        match self.read(Kind::f64(range))? {
            Value::Float(value) => Ok(self.with(value)),
            other => unreachable!("{other:?} for a number"),
        }
    }

    fn read(&self, kind: Kind) -> Result<Value, ConfigError> {
        let info = KeyInfo {
            path: "",
            field: "",
            kind,
            unit: None,
            doc: "",
            default: None,
        };
        info.value_from_toml(self.value)
            .map_err(|rejection| self.fail(rejection.kind, rejection.message, rejection.help))
    }

    fn section(&self, known: &[&str]) -> Result<Section<'a>, ConfigError> {
        let DeValue::Table(table) = self.value else {
            return Err(self.error("must be a table", None));
        };
        let section = Section {
            file: self.file,
            path: self.path.clone(),
            table,
            span: Some(self.span.clone()),
        };
        section.only(known)?;
        Ok(section)
    }
}

impl File {
    fn error(&self, span: Option<Range<usize>>, problem: Problem) -> ConfigError {
        let place = match span {
            Some(span) => Place::text(&self.name, &self.text, span),
            None => Place::Name(self.name.clone()),
        };
        ConfigError::new(place, problem)
    }
}

fn text<'a>(found: At<'a, &'a DeValue<'a>>) -> Result<At<'a, String>, ConfigError> {
    match found.read(Kind::Text)? {
        Value::Text(value) => Ok(found.with(value)),
        other => unreachable!("{other:?} for a text"),
    }
}

fn quoted<'s>(words: impl Iterator<Item = &'s str>) -> String {
    words
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(", ")
}
