//! `[filter]`: which rows of a result a plot is about.

use toml::de::DeValue;

use super::error::PlotError;
use super::section::{At, Section, number, text};

/// All of its conditions must hold.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    conditions: Vec<Condition>,
}

#[derive(Debug)]
struct Condition {
    column: At<String>,
    test: Test,
}

#[derive(Debug)]
enum Test {
    /// Equal to one of these: as numbers if both are numbers, else as texts.
    OneOf(Vec<String>),
    /// Not equal.
    Not(String),
    Below {
        limit: f64,
        or_equal: bool,
    },
    Above {
        limit: f64,
        or_equal: bool,
    },
}

impl Filter {
    pub(crate) fn read(section: &Section<'_>) -> Result<Self, PlotError> {
        let conditions = section.entries("filter")?.into_iter().map(|(column, value)| {
            let test = match value {
                DeValue::Array(items) if !items.is_empty() => {
                    let items = items.iter().map(|item| plain(item.get_ref()));
                    items.collect::<Option<Vec<String>>>().map(Test::OneOf)
                }
                DeValue::String(text) => Some(comparison(&column, text)?),
                single => plain(single).map(|single| Test::OneOf(vec![single])),
            };
            match test {
                Some(test) => Ok(Condition { column, test }),
                None => Err(column.error(format!(
                    "the filter of `{}` must be a value, a list of values or a comparison such as \">= 4\"",
                    column.value
                ))),
            }
        });
        Ok(Self {
            conditions: conditions.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn columns(&self) -> impl Iterator<Item = &At<String>> {
        self.conditions.iter().map(|condition| &condition.column)
    }

    /// Whether a row with these cells passes.
    pub(crate) fn passes<'a>(&self, cell: impl Fn(&At<String>) -> &'a str) -> bool {
        self.conditions.iter().all(|condition| {
            let cell = cell(&condition.column);
            let limited = |inside: &dyn Fn(f64) -> bool| cell.parse().is_ok_and(inside);
            match &condition.test {
                Test::OneOf(values) => values.iter().any(|value| same(cell, value)),
                Test::Not(value) => !same(cell, value),
                Test::Below { limit, or_equal } => {
                    limited(&|cell| cell < *limit || *or_equal && cell == *limit)
                }
                Test::Above { limit, or_equal } => {
                    limited(&|cell| cell > *limit || *or_equal && cell == *limit)
                }
            }
        })
    }
}

fn plain(value: &DeValue<'_>) -> Option<String> {
    text(value)
        .or_else(|| number(value).map(|number| number.to_string()))
        .or_else(|| value.as_bool().map(|flag| flag.to_string()))
}

/// `1` is `1.0`, in a file as in a filter.
pub(crate) fn same(cell: &str, value: &str) -> bool {
    match (cell.parse::<f64>(), value.parse::<f64>()) {
        (Ok(cell), Ok(value)) => cell == value,
        (_, _) => cell == value,
    }
}

fn comparison(column: &At<String>, text: &str) -> Result<Test, PlotError> {
    let rest = |operator: &str| text.strip_prefix(operator).map(str::trim);
    if let Some(value) = rest("!=") {
        return Ok(Test::Not(value.to_owned()));
    }
    let operators = [
        ("<=", true, true),
        (">=", false, true),
        ("<", true, false),
        (">", false, false),
    ];
    for (operator, below, or_equal) in operators {
        if let Some(value) = rest(operator) {
            let limit = value.parse().map_err(|_| {
                column.error(format!(
                    "\"{text}\" compares with \"{value}\", which is no number"
                ))
            })?;
            return Ok(if below {
                Test::Below { limit, or_equal }
            } else {
                Test::Above { limit, or_equal }
            });
        }
    }
    Ok(Test::OneOf(vec![text.to_owned()]))
}
