//! Reading a sweep file: from TOML with places to checked axes and conditions.

use std::collections::BTreeMap;
use std::ops::Range;

use dcom_config::{KeyInfo, Kind, Source, nearest};
use serde::Deserialize;
use toml::Spanned;

use crate::expression::{Expression, Names};
use crate::keys;
use crate::metric::Metric;
use crate::mistake::{Mistake, SpecError};
use crate::range::{Geometric, Linear, MAX_VALUES};
use crate::spec::{Axis, MAX_POINTS, SweepSpec};

/// Columns of results that presets cannot be called.
const RESERVED: [&str; 9] = [
    "point",
    "status",
    "reason",
    "method",
    "bottleneck",
    "arch_hash",
    "workload_hash",
    "technology_hash",
    "version",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "conditions are read with their places; naming them here refuses misspelt ones"
)]
pub(crate) struct Raw {
    pub(crate) name: Spanned<String>,
    pub(crate) arch: String,
    pub(crate) workload: String,
    pub(crate) tech: Option<String>,
    #[serde(default)]
    pub(crate) set: toml::Table,
    #[serde(default)]
    pub(crate) preset: BTreeMap<String, toml::Table>,
    #[serde(rename = "where")]
    pub(crate) filters: Option<toml::Value>,
    pub(crate) constraint: Option<toml::Value>,
    #[serde(default)]
    pub(crate) axis: Vec<Spanned<RawAxis>>,
    #[serde(default)]
    pub(crate) zip: Vec<Spanned<RawZip>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAxis {
    pub(crate) key: Option<Spanned<String>>,
    pub(crate) keys: Option<Vec<Spanned<String>>>,
    pub(crate) values: Option<Spanned<Vec<Spanned<toml::Value>>>>,
    pub(crate) linear: Option<Spanned<Linear>>,
    pub(crate) geometric: Option<Spanned<Geometric>>,
    pub(crate) presets: Option<Spanned<Vec<Spanned<String>>>>,
    pub(crate) name: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawZip {
    pub(crate) axis: Vec<Spanned<RawAxis>>,
}

/// An override in `[set]` or a preset.
pub(crate) type Setting = (&'static KeyInfo, String);

/// What reading the parts of a file needs.
pub(crate) struct Reader<'a> {
    pub(crate) source: &'a Source,
    pub(crate) presets: BTreeMap<&'a str, Vec<Setting>>,
}

pub(crate) fn presets<'a>(
    source: &'a Source,
    raw: &'a Raw,
) -> Result<BTreeMap<&'a str, Vec<Setting>>, SpecError> {
    let reader = Reader {
        source,
        presets: BTreeMap::new(),
    };
    let read = |(name, table): (&'a String, &toml::Table)| {
        let settings = reader.overrides(&["preset", name], table)?;
        Ok((name.as_str(), settings))
    };
    raw.preset.iter().map(read).collect()
}

impl Reader<'_> {
    pub(crate) fn wrong(&self, span: Range<usize>, message: impl Into<String>) -> SpecError {
        Mistake::at(self.source, span, message)
    }

    /// The overrides of a table, written `table.key = value` or nested.
    /// `plain` is the table at `path`; its twin that knows places is found again.
    pub(crate) fn overrides(
        &self,
        path: &[&str],
        plain: &toml::Table,
    ) -> Result<Vec<Setting>, SpecError> {
        let document = self.document()?;
        let mut table = document.get_ref();
        for name in path {
            match table.get(*name).map(Spanned::get_ref) {
                Some(toml::de::DeValue::Table(inner)) => table = inner,
                _ => return Ok(Vec::new()),
            }
        }
        let mut settings: Vec<Setting> = Vec::new();
        self.flatten(table, plain, "", &mut settings)?;
        Ok(settings)
    }

    fn flatten(
        &self,
        table: &toml::de::DeTable<'_>,
        plain: &toml::Table,
        above: &str,
        settings: &mut Vec<Setting>,
    ) -> Result<(), SpecError> {
        for (name, value) in table {
            let path = if above.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{above}.{}", name.get_ref())
            };
            let twin = &plain[name.get_ref().as_ref()];
            if let (toml::de::DeValue::Table(inner), Some(plain)) =
                (value.get_ref(), twin.as_table())
            {
                self.flatten(inner, plain, &path, settings)?;
                continue;
            }
            let key = keys::find(&path).map_err(|m| self.wrong(name.span(), m))?;
            if settings.iter().any(|(known, _)| known.path == key.path) {
                return Err(self.wrong(name.span(), format!("`{path}` is set twice")));
            }
            let text = canonical(key, twin).map_err(|m| self.wrong(value.span(), m))?;
            settings.push((key, text));
        }
        Ok(())
    }

    pub(crate) fn axis(&self, raw: &Spanned<RawAxis>) -> Result<Axis, SpecError> {
        let axis = raw.get_ref();
        if let Some(presets) = &axis.presets {
            if axis.key.is_some()
                || axis.keys.is_some()
                || axis.values.is_some()
                || axis.linear.is_some()
                || axis.geometric.is_some()
            {
                return Err(self.wrong(
                    raw.span(),
                    "an axis of `presets` has no key and no values of its own",
                ));
            }
            return self.preset_axis(presets, axis.name.as_ref());
        }
        if let Some(name) = &axis.name {
            return Err(self.wrong(name.span(), "name: only an axis of `presets` has one"));
        }
        let names: Vec<&Spanned<String>> = match (&axis.key, &axis.keys) {
            (Some(key), None) => vec![key],
            (None, Some(keys)) if !keys.is_empty() => keys.iter().collect(),
            _ => {
                let message = "an axis has `key = \"...\"`, `keys = [\"...\", ...]` or `presets = [\"...\", ...]`";
                return Err(self.wrong(raw.span(), message));
            }
        };
        let mut keys = Vec::new();
        for name in names {
            keys.push(keys::find(name.get_ref()).map_err(|m| self.wrong(name.span(), m))?);
        }
        let values = self.values(raw, &keys)?;
        Ok(Axis {
            presets: None,
            keys,
            values,
        })
    }

    fn values(
        &self,
        raw: &Spanned<RawAxis>,
        keys: &[&'static KeyInfo],
    ) -> Result<Vec<Vec<Option<String>>>, SpecError> {
        let axis = raw.get_ref();
        let (texts, span) = match (&axis.values, &axis.linear, &axis.geometric) {
            (Some(values), None, None) => return self.listed(values, keys),
            (None, Some(range), None) => (range.get_ref().values(keys[0]), range.span()),
            (None, None, Some(range)) => (range.get_ref().values(keys[0]), range.span()),
            _ => {
                let message = format!(
                    "the axis over `{}` has one of `values = [...]`, `linear = {{ from, to, step }}` and `geometric = {{ from, to, factor }}`",
                    keys[0].path
                );
                return Err(self.wrong(raw.span(), message));
            }
        };
        if keys.len() > 1 {
            return Err(self.wrong(
                span,
                "a range is for one key; put several ranges into a [[zip]]",
            ));
        }
        let key = keys[0];
        texts
            .and_then(|texts| {
                texts
                    .iter()
                    .map(|text| match key.parse(text) {
                        Ok(value) => Ok(vec![Some(value.to_string())]),
                        Err(message) => Err(format!("`{}` = {text}: {message}", key.path)),
                    })
                    .collect()
            })
            .map_err(|message| self.wrong(span, message))
    }

    fn listed(
        &self,
        values: &Spanned<Vec<Spanned<toml::Value>>>,
        keys: &[&'static KeyInfo],
    ) -> Result<Vec<Vec<Option<String>>>, SpecError> {
        let list = values.get_ref();
        if list.is_empty() {
            return Err(self.wrong(
                values.span(),
                format!(
                    "values = []: the axis over `{}` has at least one value",
                    keys[0].path
                ),
            ));
        }
        if list.len() as u64 > MAX_VALUES {
            return Err(self.wrong(
                values.span(),
                format!("{} values: at most {MAX_VALUES} on one axis", list.len()),
            ));
        }
        let mut rows = Vec::with_capacity(list.len());
        for value in list {
            rows.push(row(value.get_ref(), keys).map_err(|m| self.wrong(value.span(), m))?);
        }
        Ok(rows)
    }

    fn preset_axis(
        &self,
        presets: &Spanned<Vec<Spanned<String>>>,
        name: Option<&Spanned<String>>,
    ) -> Result<Axis, SpecError> {
        if presets.get_ref().is_empty() {
            return Err(self.wrong(
                presets.span(),
                "presets = []: an axis has at least one preset",
            ));
        }
        let mut keys: Vec<&'static KeyInfo> = Vec::new();
        let mut chosen = Vec::new();
        for preset in presets.get_ref() {
            let Some(settings) = self.presets.get(preset.get_ref().as_str()) else {
                let near = nearest(preset.get_ref(), self.presets.keys().copied());
                let help = near.map_or_else(
                    || format!("write a table [preset.{}]", preset.get_ref()),
                    |near| format!("did you mean `{near}`?"),
                );
                return Err(self.wrong(
                    preset.span(),
                    format!("`{}`: no such preset; {help}", preset.get_ref()),
                ));
            };
            for (key, _) in settings {
                if !keys.iter().any(|known| known.path == key.path) {
                    keys.push(key);
                }
            }
            chosen.push(settings);
        }
        let column = name.map_or("preset", |name| name.get_ref());
        if !plain(column) || RESERVED.contains(&column) || Metric::find(column).is_some() {
            let span = name.map_or_else(|| presets.span(), Spanned::span);
            return Err(self.wrong(span, format!("name = {column:?}: letters, digits, - and _, and no column that results have anyway")));
        }
        let value = |settings: &[Setting], key: &KeyInfo| {
            settings
                .iter()
                .find(|(known, _)| known.path == key.path)
                .map(|(_, text)| text.clone())
        };
        let values = chosen
            .iter()
            .map(|settings| keys.iter().map(|key| value(settings, key)).collect())
            .collect();
        let names = presets
            .get_ref()
            .iter()
            .map(|preset| preset.get_ref().clone())
            .collect();
        Ok(Axis {
            presets: Some((column.to_owned(), names)),
            keys,
            values,
        })
    }

    /// Axes that advance together become one.
    pub(crate) fn zip(&self, raw: &Spanned<RawZip>) -> Result<Axis, SpecError> {
        let mut zipped: Option<Axis> = None;
        for part in &raw.get_ref().axis {
            let axis = self.axis(part)?;
            if axis.presets.is_some() {
                return Err(self.wrong(
                    part.span(),
                    "presets have an axis of their own and are not zipped",
                ));
            }
            let Some(first) = &mut zipped else {
                zipped = Some(axis);
                continue;
            };
            if first.values.len() != axis.values.len() {
                let message = format!(
                    "`{}` has {} values and `{}` has {}: axes in a [[zip]] have equally many",
                    first.keys[0].path,
                    first.values.len(),
                    axis.keys[0].path,
                    axis.values.len()
                );
                return Err(self.wrong(part.span(), message));
            }
            first.keys.extend(axis.keys);
            for (row, more) in first.values.iter_mut().zip(axis.values) {
                row.extend(more);
            }
        }
        zipped.ok_or_else(|| self.wrong(raw.span(), "a [[zip]] has at least one [[zip.axis]]"))
    }

    /// The conditions of a key of the file: one text, or a list of them.
    pub(crate) fn conditions(
        &self,
        what: &str,
        names: Names,
    ) -> Result<Vec<Expression>, SpecError> {
        use toml::de::DeValue;
        let document = self.document()?;
        let Some(value) = document.get_ref().get(what) else {
            return Ok(Vec::new());
        };
        let list = match value.get_ref() {
            DeValue::Array(list) => list.iter().collect(),
            _ => vec![value],
        };
        let read = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
            DeValue::String(text) => self.condition(what, text, value.span(), names),
            _ => Err(self.wrong(
                value.span(),
                format!("{what}: expected a condition in quotes, or a list of them"),
            )),
        };
        list.into_iter().map(read).collect()
    }

    fn condition(
        &self,
        what: &str,
        text: &str,
        span: Range<usize>,
        names: Names,
    ) -> Result<Expression, SpecError> {
        Expression::parse(text, names).map_err(|error| {
            // Without escapes the text lies in the file as it is, behind its quote.
            match self.source.text[span.clone()].find(text) {
                Some(offset) => {
                    let before = text.chars().take(error.column - 1);
                    let start = span.start + offset + before.map(char::len_utf8).sum::<usize>();
                    self.wrong(start..span.end, format!("{what}: {}", error.message))
                }
                None => self.wrong(span, format!("{what}: {error}")),
            }
        })
    }

    fn document(&self) -> Result<Spanned<toml::de::DeTable<'_>>, SpecError> {
        toml::de::DeTable::parse(&self.source.text)
            .map_err(|e| self.wrong(e.span().unwrap_or(0..0), e.message()))
    }

    /// No key is on two axes, or on an axis and in `[set]`.
    pub(crate) fn distinct(&self, spec: &SweepSpec, raw: &Raw) -> Result<(), SpecError> {
        let mut seen: Vec<&str> = Vec::new();
        let columns = spec.axes.iter().flat_map(|axis| {
            axis.presets
                .iter()
                .map(|(name, _)| name.as_str())
                .chain(axis.keys.iter().map(|key| key.path))
        });
        for column in columns {
            if seen.contains(&column) {
                return Err(self.wrong(
                    last_mention(raw, column, &self.source.text),
                    format!("`{column}` is on two axes"),
                ));
            }
            seen.push(column);
        }
        match spec.set.iter().find(|(key, _)| seen.contains(&key.path)) {
            Some((key, _)) => {
                let span = last_mention(raw, key.path, &self.source.text);
                Err(self.wrong(span, format!("`{}` is on an axis and in [set]", key.path)))
            }
            None => Ok(()),
        }
    }

    pub(crate) fn not_too_many(
        &self,
        spec: &SweepSpec,
        span: Range<usize>,
    ) -> Result<(), SpecError> {
        let points = spec
            .axes
            .iter()
            .fold(1u128, |n, axis| n.saturating_mul(axis.values.len() as u128));
        if points <= u128::from(MAX_POINTS) {
            return Ok(());
        }
        let lengths: Vec<String> = spec
            .axes
            .iter()
            .map(|axis| axis.values.len().to_string())
            .collect();
        let message = format!(
            "{} = {points} points: at most {MAX_POINTS} in one sweep; take fewer values, or zip axes",
            lengths.join(" x ")
        );
        Err(self.wrong(span, message))
    }
}

/// Where a key or a column of presets is named last: the second of two mentions.
fn last_mention(raw: &Raw, column: &str, text: &str) -> Range<usize> {
    let axes = raw
        .axis
        .iter()
        .chain(raw.zip.iter().flat_map(|zip| &zip.get_ref().axis));
    let mentions = axes.flat_map(|axis| {
        let axis = axis.get_ref();
        axis.key
            .iter()
            .chain(axis.keys.iter().flatten())
            .chain(&axis.name)
            .filter(|name| name.get_ref() == column)
            .map(Spanned::span)
    });
    let presets = raw
        .axis
        .iter()
        .filter_map(|axis| axis.get_ref().presets.as_ref())
        .map(Spanned::span);
    mentions
        .chain(presets)
        .max_by_key(|span| span.start)
        .unwrap_or(0..text.len().min(1))
}

pub(crate) fn plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

/// The parser's message about a name that the format does not have, with a suggestion.
pub(crate) fn describe(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let near = match (message.starts_with("unknown field"), quoted.next()) {
        (true, Some(name)) => nearest(name, quoted),
        _ => None,
    };
    match near {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message.to_owned(),
    }
}

/// The canonical text of a value that a key takes.
fn canonical(key: &KeyInfo, value: &toml::Value) -> Result<String, String> {
    let shown = value.to_string();
    let wrong = |message: String| format!("`{}` = {shown}: {message}", key.path);
    let text = match value {
        toml::Value::String(text) => match key.kind {
            Kind::Text | Kind::Choice { .. } => text.clone(),
            // `low..value..high` needs its quotes.
            Kind::Coefficient { .. } if text.contains("..") => text.clone(),
            _ if key.parse(text).is_ok() => {
                return Err(wrong(format!("write {text} without quotes")));
            }
            _ => text.clone(),
        },
        toml::Value::Integer(integer) => integer.to_string(),
        toml::Value::Float(float) => format!("{float:?}"),
        toml::Value::Boolean(bool) => bool.to_string(),
        toml::Value::Array(_) | toml::Value::Table(_) | toml::Value::Datetime(_) => {
            return Err(wrong(format!("must be {}", key.expectation())));
        }
    };
    key.parse(&text)
        .map(|value| value.to_string())
        .map_err(wrong)
}

/// One value per key: a plain value for one key, an array for several.
fn row(value: &toml::Value, keys: &[&'static KeyInfo]) -> Result<Vec<Option<String>>, String> {
    match value {
        _ if keys.len() == 1 => Ok(vec![Some(canonical(keys[0], value)?)]),
        toml::Value::Array(row) if row.len() == keys.len() => keys
            .iter()
            .zip(row)
            .map(|(key, value)| canonical(key, value).map(Some))
            .collect(),
        toml::Value::Array(row) => Err(format!("{} values for {} keys", row.len(), keys.len())),
        other => Err(format!(
            "{other}: expected an array of {} values, one per key",
            keys.len()
        )),
    }
}
