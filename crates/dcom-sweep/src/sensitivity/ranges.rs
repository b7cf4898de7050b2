//! Files of plausible ranges: what may be varied, between what, and why.

use std::ops::Range;
use std::path::{Path, PathBuf};

use dcom_arch::ArchParams;
use dcom_config::{ConfigError, KeyInfo, Kind, Source};
use dcom_mapper::WorkloadParams;
use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

use crate::point::Base;

/// Integers up to which each has a group of its own.
const FEW: usize = 8;

/// A file of ranges that is not one.
#[derive(Debug, Error)]
pub enum RangesError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] Box<ConfigError>),
    /// A line is wrong.
    #[error("{file}:{line}: {message}")]
    Wrong {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        message: String,
    },
}

/// What is varied, and what is not.
#[derive(Clone, Debug)]
pub struct Ranges {
    /// Machine file.
    pub arch: PathBuf,
    /// Workload file.
    pub workload: PathBuf,
    /// Parameters that vary, in the order of the file.
    pub parameters: Vec<Parameter>,
    /// Keys that do not, with the reason.
    pub excluded: Vec<(String, String)>,
}

/// A parameter that varies.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Key of machine or workload.
    pub key: &'static str,
    /// Its values.
    pub values: Values,
    /// Why these.
    pub reason: String,
}

/// The values of a parameter and how likely they are.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Equally likely values.
    List(Vec<String>),
    /// Numbers between two ends, both included.
    Span {
        /// Smallest value.
        low: f64,
        /// Largest value.
        high: f64,
        /// Whether equal ratios are equally likely, rather than equal differences.
        log: bool,
        /// Whether only integers are values.
        integer: bool,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    arch: PathBuf,
    workload: PathBuf,
    #[serde(default)]
    parameter: Vec<Spanned<RawParameter>>,
    #[serde(default)]
    excluded: Vec<Spanned<RawExcluded>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParameter {
    key: Spanned<String>,
    low: Option<f64>,
    high: Option<f64>,
    scale: Option<RawScale>,
    values: Option<Vec<toml::Value>>,
    reason: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum RawScale {
    Linear,
    Log,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExcluded {
    key: Spanned<String>,
    reason: String,
}

impl Ranges {
    /// Reads a file of ranges. Paths in it are relative to the current directory.
    ///
    /// # Errors
    /// File, line, and what would be right.
    pub fn read(path: &Path) -> Result<Ranges, RangesError> {
        Ranges::parse(&Source::read(path).map_err(Box::new)?)
    }

    /// Parses a file of ranges.
    ///
    /// # Errors
    /// As [`Ranges::read`].
    pub fn parse(source: &Source) -> Result<Ranges, RangesError> {
        let text: &str = &source.text;
        let wrong = |span: Option<Range<usize>>, message: String| RangesError::Wrong {
            file: source.name.clone(),
            line: 1 + text[..span.map_or(0, |s| s.start.min(text.len()))]
                .matches('\n')
                .count(),
            message,
        };
        let raw: Raw = toml::from_str(text).map_err(|e| wrong(e.span(), e.message().to_owned()))?;
        let mut seen: Vec<&str> = Vec::new();
        let mut parameters = Vec::new();
        for parameter in &raw.parameter {
            let key = &parameter.get_ref().key;
            let at_key = |message| wrong(Some(key.span()), message);
            let info = key_info(key.get_ref()).map_err(at_key)?;
            once(&mut seen, info.path).map_err(at_key)?;
            let values = values(info, parameter.get_ref())
                .map_err(|message| wrong(Some(parameter.span()), message))?;
            parameters.push(Parameter {
                key: info.path,
                values,
                reason: parameter.get_ref().reason.clone(),
            });
        }
        let mut excluded = Vec::new();
        for key in &raw.excluded {
            let at_key = |message| wrong(Some(key.get_ref().key.span()), message);
            let info = key_info(key.get_ref().key.get_ref()).map_err(at_key)?;
            once(&mut seen, info.path).map_err(at_key)?;
            excluded.push((info.path.to_owned(), key.get_ref().reason.clone()));
        }
        Ok(Ranges {
            arch: raw.arch,
            workload: raw.workload,
            parameters,
            excluded,
        })
    }

    /// The reason why one of the parameters cannot have one of its values, if there is one.
    #[must_use]
    pub fn misfit(&self, base: &Base) -> Option<String> {
        let ends = self.parameters.iter().flat_map(|p| {
            let values = match &p.values {
                Values::List(values) => values.clone(),
                Values::Span { .. } => vec![p.values.at(0.0), p.values.at(1.0)],
            };
            values.into_iter().map(move |v| (p.key, v))
        });
        let mut errors = ends.filter_map(|(key, value)| base.clone().set(key, &value).err());
        errors.next().map(|e| e.to_string())
    }
}

impl Values {
    /// The value at a quantile from 0 to 1.
    #[must_use]
    pub fn at(&self, quantile: f64) -> String {
        match self {
            Values::List(values) => values[part(quantile, values.len())].clone(),
            Values::Span {
                low,
                high,
                log,
                integer,
            } => {
                // Every integer has the room up to the next one, so that both ends are as likely as the others.
                let end = if *integer { high + 1.0 } else { *high };
                let value = if *log {
                    low * (end / low).powf(quantile)
                } else {
                    low + (end - low) * quantile
                };
                if *integer {
                    value.floor().clamp(*low, *high).to_string()
                } else {
                    value.to_string()
                }
            }
        }
    }

    /// Number of values where they can be counted.
    #[must_use]
    pub fn listed(&self) -> Option<usize> {
        match self {
            Values::List(values) => Some(values.len()),
            Values::Span { .. } => None,
        }
    }

    /// Names of the groups that samples are sorted into: one per value, or `parts` equally likely stretches.
    #[must_use]
    pub fn groups(&self, parts: usize) -> Vec<String> {
        match (self, self.few()) {
            (Values::List(values), _) => values.clone(),
            (Values::Span { low, .. }, Some(few)) => {
                (0..few).map(|i| (low + whole(i)).to_string()).collect()
            }
            (Values::Span { .. }, None) => (0..parts)
                .map(|i| {
                    let end = |i| self.at(whole(i) / whole(parts)).parse().unwrap_or(f64::NAN);
                    let digits = |x| dcom_report::significant(x, 4);
                    format!("{} to {}", digits(end(i)), digits(end(i + 1)))
                })
                .collect(),
        }
    }

    /// The group that a quantile belongs to.
    #[must_use]
    pub fn group(&self, quantile: f64, parts: usize) -> usize {
        match (self, self.few()) {
            (Values::List(values), _) => part(quantile, values.len()),
            // A linear span of integers gives each the same room.
            (Values::Span { .. }, Some(few)) => part(quantile, few),
            (Values::Span { .. }, None) => part(quantile, parts),
        }
    }

    /// Number of integers in a span of few equally likely ones.
    fn few(&self) -> Option<usize> {
        let Values::Span {
            low,
            high,
            log: false,
            integer: true,
        } = self
        else {
            return None;
        };
        (1..=FEW).find(|n| low + whole(*n) > *high)
    }

    /// Whether the values are numbers in ascending order, so that a rank correlation means something.
    #[must_use]
    pub fn ascending(&self) -> bool {
        match self {
            Values::List(values) => {
                let numbers: Result<Vec<f64>, _> = values.iter().map(|v| v.parse()).collect();
                numbers.is_ok_and(|n| n.is_sorted())
            }
            Values::Span { .. } => true,
        }
    }

    /// The range in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Values::List(values) => values.join(", "),
            Values::Span { low, high, log, .. } => {
                let scale = if *log { "log" } else { "linear" };
                format!("{low} to {high}, {scale}")
            }
        }
    }
}

/// Which of `parts` equal parts of 0 to 1 a quantile lies in.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded down on purpose; a handful of parts"
)]
pub(super) fn part(quantile: f64, parts: usize) -> usize {
    ((quantile * whole(parts)) as usize).min(parts - 1)
}

#[expect(clippy::cast_precision_loss, reason = "a handful")]
fn whole(count: usize) -> f64 {
    count as f64
}

fn once<'a>(seen: &mut Vec<&'a str>, key: &'a str) -> Result<(), String> {
    if seen.contains(&key) {
        return Err(format!("`{key}` is listed twice"));
    }
    seen.push(key);
    Ok(())
}

fn key_info(key: &str) -> Result<&'static KeyInfo, String> {
    let keys = || ArchParams::keys().iter().chain(WorkloadParams::keys());
    if let Some(info) = keys().find(|k| k.path == key) {
        return Ok(info);
    }
    let like = |k: &KeyInfo| strsim::jaro_winkler(k.path, key);
    let near = keys().max_by(|a, b| like(a).total_cmp(&like(b)));
    Err(format!(
        "`{key}`: no key of machine or workload; did you mean `{}`?",
        near.map_or("", |k| k.path)
    ))
}

fn values(info: &KeyInfo, raw: &RawParameter) -> Result<Values, String> {
    let key = info.path;
    match (raw.low, raw.high, raw.scale, &raw.values) {
        (None, None, None, Some(values)) if values.len() > 1 => {
            let plain = |v: &toml::Value| match v {
                toml::Value::String(s) => Ok(s.clone()),
                toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => {
                    Ok(v.to_string())
                }
                other => Err(format!(
                    "{key}: {other}: expected a number, a name, true or false"
                )),
            };
            Ok(Values::List(
                values.iter().map(plain).collect::<Result<_, _>>()?,
            ))
        }
        (Some(low), Some(high), Some(scale), None) => {
            let log = scale == RawScale::Log;
            if low >= high || (log && low <= 0.0) {
                return Err(format!(
                    "{key}: low = {low}, high = {high}: expected low below high, and low above 0 on a log scale"
                ));
            }
            let integer = match info.kind {
                Kind::Integer { .. } => true,
                Kind::Float { .. } => false,
                Kind::Bool | Kind::Text | Kind::Choice { .. } => {
                    return Err(format!("{key} is no number: list its `values`"));
                }
            };
            if integer && (low.fract() != 0.0 || high.fract() != 0.0) {
                return Err(format!("{key} is an integer: low and high must be, too"));
            }
            Ok(Values::Span {
                low,
                high,
                log,
                integer,
            })
        }
        _ => Err(format!(
            "{key}: a parameter has `low`, `high` and `scale`, or at least two `values`"
        )),
    }
}
