//! Walks a parsed TOML file along a schema, collecting values and everything that is wrong with it.
//!
//! All errors of a file are found, the first by position is reported. Keys that are missing come after the others,
//! and not at all when a misspelt key explains them.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::document::{Document, Found, Mark, Parsed};
use crate::error::{ConfigError, ErrorKind, Place, Problem, excerpt};
use crate::key::{KeyInfo, Kind, Marks, Schema, split};
use crate::source::Source;
use crate::suggest;
use crate::value::{Coefficient, Value};

/// A mark and the source that goes with it.
type Label = (Mark, String);

/// The fields of a value with its label.
const LABELLED: [&str; 3] = ["value", "mark", "source"];

/// The fields of a coefficient.
const COEFFICIENT: [&str; 5] = ["value", "low", "high", "mark", "source"];

/// The fields that a key is written with.
fn fields(info: &KeyInfo) -> &'static [&'static str] {
    match info.kind {
        Kind::Coefficient { .. } => &COEFFICIENT,
        Kind::Integer { .. }
        | Kind::Float { .. }
        | Kind::Bool
        | Kind::Text
        | Kind::Choice { .. } => &LABELLED,
    }
}

/// How to write a key, for help.
fn form(info: &KeyInfo, value: &str) -> String {
    let fields = fields(info).iter().map(|field| match *field {
        "value" => format!("value = {value}"),
        "source" => "source = \"...\"".to_owned(),
        field => format!("{field} = ..."),
    });
    format!(
        "{} = {{ {} }}",
        info.leaf(),
        fields.collect::<Vec<_>>().join(", ")
    )
}

/// Parses a text along a schema: the values in the order of its keys, and where they come from.
///
/// # Errors
/// The first mistake, with the number of further ones.
///
/// # Panics
/// If a default of the schema is not within its key's range.
pub fn read(
    schema: &'static Schema,
    source: Source,
) -> Result<(Document, Vec<Value>), ConfigError> {
    let Source { name, text } = source;
    let text: Arc<str> = text.into();
    let root = DeTable::parse(&text).map_err(|error| syntax_error(&name, &text, &error))?;

    let keys = schema.keys();
    let mut reader = Reader {
        schema,
        text: &text,
        values: vec![None; keys.len()],
        found: keys.iter().map(|_| None).collect(),
        explained: vec![false; keys.len()],
        tables: Vec::new(),
        problems: Vec::new(),
    };
    reader.table("", root.get_ref());
    reader.fill_in();
    let Reader {
        values,
        found,
        mut problems,
        ..
    } = reader;

    problems.sort_by_key(|(span, problem)| {
        (
            problem.kind == ErrorKind::MissingKey,
            span.as_ref().map_or(0, |s| s.start),
        )
    });
    let more = problems.len().saturating_sub(1);
    if let Some((span, problem)) = problems.into_iter().next() {
        let place = match span {
            Some(span) => Place::text(&name, &text, span),
            None => Place::Name(name),
        };
        return Err(ConfigError::new(place, problem).and_more(more));
    }
    let values = values
        .into_iter()
        .map(|value| value.expect("a key without value is a problem"))
        .collect();
    Ok((Document::new(schema, Parsed { name, text, found }), values))
}

struct Reader<'a> {
    schema: &'static Schema,
    text: &'a str,
    /// The next three go by position in the schema.
    values: Vec<Option<Value>>,
    found: Vec<Option<Found>>,
    /// Keys whose absence another problem already explains.
    explained: Vec<bool>,
    /// Tables seen, by path, with the span of their name.
    tables: Vec<(String, Range<usize>)>,
    problems: Vec<(Option<Range<usize>>, Problem)>,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let path = join(prefix, key.get_ref());
            if let Some(index) = self.schema.index_of(&path) {
                self.key(index, key.span(), value);
            } else if self.schema.is_table(&path) {
                match value.get_ref() {
                    DeValue::Table(inner) => {
                        self.tables.push((path.clone(), key.span()));
                        self.table(&path, inner);
                    }
                    _ => self.not_a_table(&path, key.span()),
                }
            } else {
                self.unknown(&path, key.span(), value.get_ref());
            }
        }
    }

    fn key(&mut self, index: usize, key_span: Range<usize>, value: &Spanned<DeValue<'_>>) {
        self.explained[index] = true;
        let info = &self.schema.keys()[index];
        let labelled = value.get_ref().as_table();
        let label = match (value.get_ref(), self.schema.marks()) {
            (DeValue::Table(table), _) => self.labelled(info, &key_span, table),
            (_, Marks::Optional) => Some((value, None)),
            (_, Marks::Required) => {
                let text = self.slice(value.span());
                let message = "must say where the value comes from";
                let help = format!("write {}; {}", form(info, &excerpt(text)), marks_help());
                let problem = Problem::new(ErrorKind::Mark, message)
                    .of_value(text)
                    .with_help(Some(help));
                self.problem(value.span(), info.path, problem);
                None
            }
        };
        let Some((value, label)) = label else { return };
        match info.value_from_toml(value.get_ref()) {
            Ok(typed) => {
                let typed = match self.interval(info, typed, labelled) {
                    Some(typed) => typed,
                    None => return,
                };
                self.values[index] = Some(typed);
                self.found[index] = Some(Found {
                    key_span,
                    value_span: value.span(),
                    label,
                });
            }
            Err(rejection) => {
                let problem = Problem::from(rejection).of_value(self.slice(value.span()));
                self.problem(value.span(), info.path, problem);
            }
        }
    }

    /// Takes `{ value, mark, source }` apart. Without a usable label the value is still checked by the caller, as
    /// the problem found here stops the file anyway.
    fn labelled<'v, 'i>(
        &mut self,
        info: &KeyInfo,
        key_span: &Range<usize>,
        table: &'v DeTable<'i>,
    ) -> Option<(&'v Spanned<DeValue<'i>>, Option<Label>)> {
        let mut meant = Vec::new();
        let fields = fields(info);
        for key in table.keys() {
            let field = key.get_ref().as_ref();
            if !fields.contains(&field) {
                let near = suggest::nearest(field, fields.iter().copied());
                meant.extend(near);
                let help = near.map(|name| format!("did you mean `{name}`?"));
                let names: Vec<_> = fields.iter().map(|name| format!("`{name}`")).collect();
                let (last, first) = names.split_last().expect("a value has fields");
                let message = format!("unknown field, a value has {} and {last}", first.join(", "));
                let problem = Problem::new(ErrorKind::UnknownKey, message).with_help(help);
                self.problem(key.span(), &join(info.path, field), problem);
            }
        }
        let missing: Vec<_> = fields
            .iter()
            .filter(|field| !table.contains_key(**field) && !meant.contains(*field))
            .map(|field| format!("no `{field}`"))
            .collect();
        if !missing.is_empty() {
            let message = format!("has {}", missing.join(" and "));
            let help = format!(
                "write {}; the value is {}, {}",
                form(info, "..."),
                info.expectation(),
                marks_help()
            );
            let problem = Problem::new(ErrorKind::Mark, message).with_help(Some(help));
            self.problem(key_span.clone(), info.path, problem);
        }
        let [value, mark, source] = LABELLED.map(|field| table.get(field));
        let mark = mark.and_then(|mark| self.mark(info, mark));
        let source = source.and_then(|source| self.label_source(info, source));
        value.map(|value| (value, mark.zip(source)))
    }

    /// Takes `low` and `high` of a coefficient; other values are what they are. None: a problem has been noted.
    fn interval(
        &mut self,
        info: &KeyInfo,
        value: Value,
        table: Option<&DeTable<'_>>,
    ) -> Option<Value> {
        let Value::Coefficient(Coefficient { value, .. }) = value else {
            return Some(value);
        };
        let Some(table) = table else {
            return Some(Value::Coefficient(Coefficient::exact(value)));
        };
        let mut end = |name: &str| {
            let written = table.get(name)?;
            match info.value_from_toml(written.get_ref()) {
                Ok(Value::Coefficient(end)) => {
                    let (end, ordered) = (
                        end.value,
                        match name {
                            "low" => end.value <= value,
                            _ => end.value >= value,
                        },
                    );
                    if ordered {
                        return Some(end);
                    }
                    let than = if name == "low" { "above" } else { "below" };
                    let message = format!("is {than} the value {value:?}: low <= value <= high");
                    let problem = Problem::new(ErrorKind::OutOfRange, message)
                        .of_value(self.slice(written.span()));
                    self.problem(written.span(), &join(info.path, name), problem);
                }
                Ok(other) => unreachable!("{other:?} for a coefficient"),
                Err(rejection) => {
                    let problem = Problem::from(rejection).of_value(self.slice(written.span()));
                    self.problem(written.span(), &join(info.path, name), problem);
                }
            }
            None
        };
        let (low, high) = (end("low"), end("high"));
        Some(Value::Coefficient(Coefficient {
            value,
            low: low?,
            high: high?,
        }))
    }

    fn mark(&mut self, info: &KeyInfo, mark: &Spanned<DeValue<'_>>) -> Option<Mark> {
        let text = mark.get_ref().as_str().unwrap_or_default();
        let known = Mark::ALL
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, mark)| *mark);
        if known.is_none() {
            let near = suggest::nearest(text, Mark::ALL.iter().map(|(name, _)| *name));
            let help = near.map(|name| format!("did you mean \"{name}\"?"));
            let message = format!("must be one of {}", mark_names());
            let problem = Problem::new(ErrorKind::Mark, message)
                .of_value(self.slice(mark.span()))
                .with_help(help);
            self.problem(mark.span(), &join(info.path, "mark"), problem);
        }
        known
    }

    fn label_source(&mut self, info: &KeyInfo, source: &Spanned<DeValue<'_>>) -> Option<String> {
        match source.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() && !text.chars().any(char::is_control) => {
                Some(text.to_owned())
            }
            _ => {
                let message = "must be a line of text that says where the value comes from";
                let problem =
                    Problem::new(ErrorKind::Mark, message).of_value(self.slice(source.span()));
                self.problem(source.span(), &join(info.path, "source"), problem);
                None
            }
        }
    }

    fn unknown(&mut self, path: &str, span: Range<usize>, value: &DeValue<'_>) {
        // `[arry]` is meant as a table, while `[array.colums]` may be a labelled value.
        let (message, help) = match value {
            DeValue::Table(inner) if !LABELLED.iter().any(|field| inner.contains_key(*field)) => {
                ("unknown table", self.help_for_table(path))
            }
            _ => ("unknown key", self.help_for_key(path)),
        };
        let problem = Problem::new(ErrorKind::UnknownKey, message).with_help(Some(help));
        self.problem(span, path, problem);
    }

    fn help_for_table(&mut self, path: &str) -> String {
        let tables = tables(self.schema);
        match suggest::nearest(path, tables.iter().copied()) {
            Some(near) => {
                self.explain(|key| key.inside(near).is_some());
                format!("did you mean [{near}]?")
            }
            None => {
                let names: Vec<_> = tables.iter().map(|table| format!("[{table}]")).collect();
                format!("the tables: {}", names.join(", "))
            }
        }
    }

    fn help_for_key(&mut self, path: &str) -> String {
        let (table, _) = split(path);
        if let Some(near) = suggest::nearest_key(self.schema, path) {
            self.explain(|key| key.path == near.path);
            format!("did you mean `{}`?", near.path)
        } else if self.schema.is_table(table) {
            suggest::keys_of(self.schema, table)
        } else {
            "keys belong into tables".to_owned()
        }
    }

    fn not_a_table(&mut self, path: &str, span: Range<usize>) {
        self.explain(|key| key.inside(path).is_some());
        let help = format!("write [{path}] on a line of its own, and its keys below");
        let problem = Problem::new(ErrorKind::WrongType, "must be a table").with_help(Some(help));
        self.problem(span, path, problem);
    }

    /// Takes defaults for the keys that the file leaves out, or reports them missing.
    fn fill_in(&mut self) {
        for (index, info) in self.schema.keys().iter().enumerate() {
            if self.values[index].is_some() {
                continue;
            }
            if let Some(text) = info.default {
                match info.value_from_text(text) {
                    Ok(value) => self.values[index] = Some(value),
                    Err(rejection) => {
                        panic!("default of {} = {text}: {}", info.path, rejection.message)
                    }
                }
            } else if !self.explained[index] {
                let table = info.table();
                let span = self
                    .tables
                    .iter()
                    .find(|(path, _)| path == table)
                    .map(|(_, span)| span.clone());
                let absent = if span.is_some() {
                    ""
                } else {
                    ", which is missing too"
                };
                let message = format!(
                    "missing key, must be {}, in table [{table}]{absent}",
                    info.expectation()
                );
                let problem = Problem::new(ErrorKind::MissingKey, message)
                    .of_key(info.path)
                    .with_help(Some(info.doc.to_owned()));
                self.problems.push((span, problem));
            }
        }
    }

    fn explain(&mut self, is_explained: impl Fn(&KeyInfo) -> bool) {
        for (explained, key) in self.explained.iter_mut().zip(self.schema.keys()) {
            *explained |= is_explained(key);
        }
    }

    fn problem(&mut self, span: Range<usize>, path: &str, problem: Problem) {
        self.problems.push((Some(span), problem.of_key(path)));
    }

    fn slice(&self, span: Range<usize>) -> &str {
        &self.text[span]
    }
}

pub(crate) fn syntax_error(name: &str, text: &Arc<str>, error: &toml::de::Error) -> ConfigError {
    let message = error.message().replace('\n', ", ");
    let Some(span) = error.span() else {
        return ConfigError::new(
            Place::Name(name.to_owned()),
            Problem::new(ErrorKind::Syntax, message),
        );
    };
    let problem = Problem::new(ErrorKind::Syntax, message.clone());
    let problem = match text.get(span.clone()) {
        Some(key) if message.starts_with("duplicate key") => problem.of_key(key),
        _ => problem,
    };
    ConfigError::new(Place::text(name, text, span), problem)
}

/// A path one step longer. Names that TOML must quote stay quoted, so that `"a.b"` is not taken for `a.b`.
pub(crate) fn join(prefix: &str, name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let name = if bare {
        name.to_owned()
    } else {
        format!("{:?}", excerpt(name))
    };
    if prefix.is_empty() {
        name
    } else {
        format!("{prefix}.{name}")
    }
}

/// The tables that hold keys directly, in the order of the schema.
fn tables(schema: &Schema) -> Vec<&'static str> {
    let mut tables = Vec::new();
    for key in schema.keys() {
        if !tables.contains(&key.table()) {
            tables.push(key.table());
        }
    }
    tables
}

fn mark_names() -> String {
    Mark::ALL.map(|(name, _)| format!("\"{name}\"")).join(", ")
}

fn marks_help() -> String {
    format!("a mark is one of {}", mark_names())
}
