//! A table of the spec, read key by key. What was never asked for is unknown, so the code that reads is the schema.

use std::cell::RefCell;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{PlotError, suggestion};

/// A text of the spec with names for its errors.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: Arc<str>,
    pub(crate) text: String,
}

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    file: Arc<str>,
    line: usize,
    pub(crate) value: T,
}

impl<T> At<T> {
    pub(crate) fn error(&self, message: impl Into<String>) -> PlotError {
        PlotError::Spec {
            file: self.file.to_string(),
            line: self.line,
            message: message.into(),
        }
    }

    /// Another value at the same place.
    pub(crate) fn with<U>(&self, value: U) -> At<U> {
        At {
            file: Arc::clone(&self.file),
            line: self.line,
            value,
        }
    }
}

/// A table.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    source: &'a Source,
    name: &'a str,
    table: &'a DeTable<'a>,
    start: usize,
    asked: RefCell<Vec<String>>,
}

type Found<T> = Result<Option<At<T>>, PlotError>;

impl<'a> Section<'a> {
    pub(crate) fn new(source: &'a Source, name: &'a str, table: &'a Spanned<DeTable<'a>>) -> Self {
        Self {
            source,
            name,
            table: table.get_ref(),
            start: table.span().start,
            asked: RefCell::default(),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Found<String> {
        self.get(key, "a text in quotes", text)
    }

    /// A text, or a number as the text it is written as: an expression either way.
    pub(crate) fn formula(&self, key: &str) -> Found<String> {
        let read =
            |value: &DeValue<'_>| text(value).or_else(|| number(value).map(|n| n.to_string()));
        self.get(key, "a column in quotes or a number", read)
    }

    /// One text or a list of them; never an empty list.
    pub(crate) fn texts(&self, key: &str) -> Result<Option<Vec<At<String>>>, PlotError> {
        let read = |value: &DeValue<'_>| match value {
            DeValue::Array(items) if !items.is_empty() => {
                items.iter().map(|item| text(item.get_ref())).collect()
            }
            single => text(single).map(|single| vec![single]),
        };
        let list = self.get(key, "a text or a list of texts", read)?;
        Ok(list.map(|list| {
            list.value
                .iter()
                .map(|item| list.with(item.clone()))
                .collect()
        }))
    }

    pub(crate) fn number(&self, key: &str) -> Found<f64> {
        self.get(key, "a number", number)
    }

    pub(crate) fn flag(&self, key: &str) -> Result<bool, PlotError> {
        let found = self.get(key, "true or false", |value| value.as_bool())?;
        Ok(found.is_some_and(|found| found.value))
    }

    /// `[low, high]`.
    pub(crate) fn range(&self, key: &str) -> Found<(f64, f64)> {
        let read = |value: &DeValue<'_>| {
            let items: Vec<f64> = value
                .as_array()?
                .iter()
                .map(|item| number(item.get_ref()))
                .collect::<Option<_>>()?;
            <[f64; 2]>::try_from(items)
                .ok()
                .map(|[low, high]| (low, high))
        };
        self.get(key, "[first, last], two numbers", read)
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Found<T> {
        let Some(word) = self.text(key)? else {
            return Ok(None);
        };
        match words.iter().find(|(name, _)| *name == word.value) {
            Some(&(_, meaning)) => Ok(Some(word.with(meaning))),
            None => {
                let known = suggestion(&word.value, words.iter().map(|(name, _)| *name));
                Err(word.error(format!("`{key}` is not \"{}\"{known}", word.value)))
            }
        }
    }

    /// The keys and values of a table, in the order of the file.
    pub(crate) fn entries(
        &self,
        key: &str,
    ) -> Result<Vec<(At<String>, &'a DeValue<'a>)>, PlotError> {
        let Some((value, place)) = self.find(key) else {
            return Ok(Vec::new());
        };
        let DeValue::Table(table) = value else {
            return Err(place.error(format!("`{key}` must be a table, [{key}]")));
        };
        let entries = table.iter().map(|(name, value)| {
            let place = self.place(name.span().start, name.get_ref().to_string());
            (place, value.get_ref())
        });
        Ok(entries.collect())
    }

    /// The tables `[[key]]`.
    pub(crate) fn sections(&self, key: &str, name: &'a str) -> Result<Vec<Section<'a>>, PlotError> {
        let Some((value, place)) = self.find(key) else {
            return Ok(Vec::new());
        };
        let wrong = || place.error(format!("`{key}` must be a list of tables, {name}"));
        let items = value.as_array().ok_or_else(wrong)?;
        let section = |item: &'a Spanned<DeValue<'a>>| match item.get_ref() {
            DeValue::Table(table) => Ok(Section {
                source: self.source,
                name,
                table,
                start: item.span().start,
                asked: RefCell::default(),
            }),
            _ => Err(wrong()),
        };
        items.iter().map(section).collect()
    }

    /// The value of a key that must be there.
    pub(crate) fn required<T>(&self, key: &str, found: Option<T>) -> Result<T, PlotError> {
        found.ok_or_else(|| {
            let near = self.table.keys().map(|name| name.get_ref().as_ref());
            let near = suggestion(key, near);
            let near = near
                .strip_prefix("; did you mean ")
                .map(|near| format!("; did you mean it by {near}"));
            self.here().error(format!(
                "{} has no key `{key}`{}",
                self.name,
                near.unwrap_or_default()
            ))
        })
    }

    /// The place of the table itself.
    pub(crate) fn here(&self) -> At<()> {
        self.place(self.start, ())
    }

    /// Refuses the keys that nothing asked for.
    pub(crate) fn finish(&self) -> Result<(), PlotError> {
        let asked = self.asked.borrow();
        let unknown = self
            .table
            .keys()
            .filter(|key| !asked.iter().any(|known| known == key.get_ref().as_ref()))
            .min_by_key(|key| key.span().start);
        let Some(key) = unknown else {
            return Ok(());
        };
        let name = key.get_ref().as_ref();
        let known = suggestion(name, asked.iter().map(String::as_str));
        let message = format!("{} has no key `{name}`{known}", self.name);
        Err(self.place(key.span().start, ()).error(message))
    }

    fn get<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(&DeValue<'_>) -> Option<T>,
    ) -> Found<T> {
        let Some((value, place)) = self.find(key) else {
            return Ok(None);
        };
        match read(value) {
            Some(value) => Ok(Some(place.with(value))),
            None => Err(place.error(format!("`{key}` must be {expected}"))),
        }
    }

    fn find(&self, key: &str) -> Option<(&'a DeValue<'a>, At<()>)> {
        self.asked.borrow_mut().push(key.to_owned());
        let (name, value) = self
            .table
            .iter()
            .find(|(name, _)| name.get_ref().as_ref() == key)?;
        Some((value.get_ref(), self.place(name.span().start, ())))
    }

    fn place<T>(&self, offset: usize, value: T) -> At<T> {
        At {
            file: Arc::clone(&self.source.file),
            line: line(&self.source.text, offset),
            value,
        }
    }
}

/// The line of a byte, from 1.
pub(crate) fn line(text: &str, offset: usize) -> usize {
    1 + text
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
}

pub(crate) fn text(value: &DeValue<'_>) -> Option<String> {
    value.as_str().map(str::to_owned)
}

pub(crate) fn number(value: &DeValue<'_>) -> Option<f64> {
    let number = match value {
        // Results and axes are 64-bit floats; an integer beyond them is rounded as every reader would.
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    };
    number.filter(|number: &f64| number.is_finite())
}
