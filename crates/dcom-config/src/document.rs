//! Where the values of a struct come from: positions in a file, marks, overrides, defaults.
//!
//! A document is cheap to clone, so that a sweep can start every point from one parsed file: the file is shared and
//! only the overrides are the clone's own.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{ConfigError, ErrorKind, Place, Problem, line_and_column};
use crate::key::{KeyInfo, Schema};
use crate::suggest;
use crate::value::Value;

/// How far a number can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    /// Stated by the source.
    Given,
    /// Follows from what the source states.
    Derived,
    /// Chosen by us; the source says why.
    Assumed,
    /// Adjusted until a result agreed; the source says which.
    Fitted,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin<'a> {
    /// The file.
    File {
        /// The label, if the value has one.
        mark: Option<Mark>,
        /// Where the number is from, if the value has a mark.
        source: Option<&'a str>,
        /// Bytes of the key in the text.
        key_span: Range<usize>,
        /// Bytes of the value proper in the text.
        value_span: Range<usize>,
        /// Line of the value, from 1.
        line: usize,
    },
    /// An override.
    Set {
        /// The value as written there.
        text: &'a str,
    },
    /// The default of the schema.
    Default {
        /// The value as written there.
        text: &'static str,
    },
}

/// One key with its value and label, for reports.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Path of the key.
    pub path: &'static str,
    /// Unit of the value.
    pub unit: Option<&'static str>,
    /// The value in effect.
    pub value: Value,
    /// How far it can be trusted.
    pub mark: Option<Mark>,
    /// Where it comes from.
    pub source: Option<&'a str>,
}

/// The text behind a struct, key by key. Clones share the text.
#[derive(Clone, Debug)]
pub struct Document {
    schema: &'static Schema,
    file: Arc<Parsed>,
    /// Overrides by position in the schema, with the value as written.
    overrides: Vec<(usize, Box<str>)>,
}

/// A file after parsing.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) name: String,
    pub(crate) text: Arc<str>,
    /// By position in the schema; `None`: the default holds.
    pub(crate) found: Vec<Option<Found>>,
}

/// A value of a file, beside the value itself.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) key_span: Range<usize>,
    pub(crate) value_span: Range<usize>,
    pub(crate) label: Option<(Mark, String)>,
}

impl Document {
    pub(crate) fn new(schema: &'static Schema, file: Parsed) -> Self {
        Self {
            schema,
            file: Arc::new(file),
            overrides: Vec::new(),
        }
    }

    /// Name of the file.
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.file.text
    }

    /// Where the value of a key (its path or its field's name) comes from.
    ///
    /// # Panics
    /// If there is no such key.
    pub fn origin(&self, key: &str) -> Origin<'_> {
        self.origin_at(self.index(key))
    }

    /// Checks and records an override; [`schema!`](crate::schema!) then assigns the value.
    ///
    /// # Errors
    /// Unknown key, or a value that does not fit it; nothing is then recorded.
    pub fn replace(
        &mut self,
        key: &str,
        text: &str,
    ) -> Result<(&'static KeyInfo, Value), ConfigError> {
        let Some(index) = self.schema.index_of(key) else {
            let help = if self.schema.is_table(key) {
                Some(suggest::keys_of(self.schema, key))
            } else {
                suggest::nearest_key(self.schema, key)
                    .map(|key| format!("did you mean `{}`?", key.path))
            };
            let message = format!(
                "there is no key `{key}` in the {} schema",
                self.schema.name()
            );
            let problem = Problem::new(ErrorKind::UnknownKey, message)
                .of_key(key)
                .with_help(help);
            return Err(ConfigError::new(Place::set_key(key, text), problem));
        };
        let info = &self.schema.keys()[index];
        let value = info.value_from_text(text).map_err(|rejection| {
            ConfigError::new(
                Place::set_value(key, text),
                Problem::from(rejection).of_key(key).of_value(text),
            )
        })?;
        match self.overrides.iter_mut().find(|(at, _)| *at == index) {
            Some((_, old)) => *old = text.into(),
            None => self.overrides.push((index, text.into())),
        }
        Ok((info, value))
    }

    /// Pairs values, in the order of the schema, with their keys and labels.
    pub fn entries(&self, values: Vec<Value>) -> Vec<Entry<'_>> {
        let keys = self.schema.keys();
        assert_eq!(keys.len(), values.len(), "one value per key");
        let entry = |(index, (key, value)): (usize, (&KeyInfo, Value))| {
            let origin = self.origin_at(index);
            Entry {
                path: key.path,
                unit: key.unit,
                value,
                mark: origin.mark(),
                source: origin.source(),
            }
        };
        keys.iter().zip(values).enumerate().map(entry).collect()
    }

    /// Values, in the order of the schema, as sorted `key=value` lines.
    pub fn canonical(&self, values: Vec<Value>) -> String {
        let keys = self.schema.keys();
        assert_eq!(keys.len(), values.len(), "one value per key");
        let mut lines: Vec<_> = keys
            .iter()
            .zip(values)
            .map(|(key, value)| format!("{}={value}\n", key.path))
            .collect();
        lines.sort_unstable();
        lines.concat()
    }

    /// FNV-1a of a text, 64 bits, as 16 hexadecimal digits (Fowler, Noll, Vo; constants of IETF
    /// draft-eastlake-fnv). It tells configurations apart; it does not resist forgery.
    pub fn hash(text: &str) -> String {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, fold))
    }

    /// An error that points at a key (its path or its field's name): in the file, or at its override.
    ///
    /// # Panics
    /// If there is no such key.
    pub fn error_at(&self, key: &str, message: String, help: Option<String>) -> ConfigError {
        let index = self.index(key);
        let path = self.schema.keys()[index].path;
        let problem = Problem::new(ErrorKind::Conflict, message)
            .of_key(path)
            .with_help(help);
        match self.origin_at(index) {
            Origin::File { value_span, .. } => {
                let value = &self.file.text[value_span.clone()];
                ConfigError::new(
                    Place::text(&self.file.name, &self.file.text, value_span),
                    problem.of_value(value),
                )
            }
            Origin::Set { text } => {
                ConfigError::new(Place::set_value(path, text), problem.of_value(text))
            }
            Origin::Default { text } => {
                let value = format!("{text} (default)");
                ConfigError::new(Place::Name(self.file.name.clone()), problem.of_value(value))
            }
        }
    }

    fn origin_at(&self, index: usize) -> Origin<'_> {
        if let Some((_, text)) = self.overrides.iter().find(|(at, _)| *at == index) {
            return Origin::Set { text };
        }
        match &self.file.found[index] {
            Some(found) => Origin::File {
                mark: found.label.as_ref().map(|(mark, _)| *mark),
                source: found.label.as_ref().map(|(_, source)| source.as_str()),
                key_span: found.key_span.clone(),
                value_span: found.value_span.clone(),
                line: line_and_column(&self.file.text, found.value_span.start).0,
            },
            None => Origin::Default {
                text: self.schema.keys()[index]
                    .default
                    .expect("a key without default is in the file"),
            },
        }
    }

    fn index(&self, key: &str) -> usize {
        let keys = self.schema.keys();
        let index = keys
            .iter()
            .position(|info| info.path == key || info.field == key);
        index.unwrap_or_else(|| {
            panic!(
                "the {} schema has no key or field `{key}`",
                self.schema.name()
            )
        })
    }
}

impl<'a> Origin<'a> {
    /// The label; overrides and defaults are "assumed".
    pub fn mark(&self) -> Option<Mark> {
        match self {
            Self::File { mark, .. } => *mark,
            Self::Set { .. } | Self::Default { .. } => Some(Mark::Assumed),
        }
    }

    /// The source; that of overrides is "--set", that of defaults "default".
    pub fn source(&self) -> Option<&'a str> {
        match self {
            Self::File { source, .. } => *source,
            Self::Set { .. } => Some("--set"),
            Self::Default { .. } => Some("default"),
        }
    }
}

impl Mark {
    /// All marks, as files write them.
    pub const ALL: [(&'static str, Self); 4] = [
        ("given", Self::Given),
        ("derived", Self::Derived),
        ("assumed", Self::Assumed),
        ("fitted", Self::Fitted),
    ];
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given => "given",
            Self::Derived => "derived",
            Self::Assumed => "assumed",
            Self::Fitted => "fitted",
        })
    }
}
