//! Sweep files: a machine, a workload, and axes over their keys.

use std::ops::Range;
use std::path::{Path, PathBuf};

use dcom_arch::ArchParams;
use dcom_config::{ConfigError, Source};
use dcom_mapper::WorkloadParams;
use dcom_power::Technology;
use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

/// Most points of one sweep; more is taken for a mistake.
const MAX_POINTS: u64 = 10_000_000;

/// A sweep file that is not one.
#[derive(Debug, Error)]
pub enum SpecError {
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

/// One axis: keys that change together, and their values point by point.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Keys of the machine or the workload.
    pub keys: Vec<String>,
    /// For each position, one value per key.
    pub values: Vec<Vec<String>>,
}

/// A sweep: the cross product of its axes, the first one slowest.
#[derive(Clone, Debug)]
pub struct SweepSpec {
    /// Name, for output files.
    pub name: String,
    /// Machine file.
    pub arch: PathBuf,
    /// Workload file.
    pub workload: PathBuf,
    /// Axes.
    pub axes: Vec<Axis>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: Spanned<String>,
    arch: Spanned<String>,
    workload: Spanned<String>,
    #[serde(default)]
    axis: Vec<Spanned<RawAxis>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAxis {
    key: Option<Spanned<String>>,
    keys: Option<Vec<Spanned<String>>>,
    values: Spanned<Vec<Spanned<toml::Value>>>,
}

impl SweepSpec {
    /// Reads a sweep file. Paths in it are relative to the current directory.
    ///
    /// # Errors
    /// File, line, and what would be right.
    pub fn read(path: &Path) -> Result<SweepSpec, SpecError> {
        SweepSpec::parse(Source::read(path).map_err(Box::new)?)
    }

    /// Parses a sweep file.
    ///
    /// # Errors
    /// As [`SweepSpec::read`].
    pub fn parse(source: Source) -> Result<SweepSpec, SpecError> {
        let text = source.text.to_owned();
        let wrong = |span: Option<Range<usize>>, message: String| SpecError::Wrong {
            file: source.name.to_owned(),
            line: 1 + text[..span.map_or(0, |s| s.start.min(text.len()))]
                .matches('\n')
                .count(),
            message,
        };
        let raw: Raw =
            toml::from_str(&text).map_err(|e| wrong(e.span(), e.message().to_owned()))?;
        let mut axes: Vec<Axis> = Vec::new();
        let mut points = 1u64;
        for axis in &raw.axis {
            let span = axis.span();
            let axis = axis.get_ref();
            let keys: Vec<&Spanned<String>> = match (&axis.key, &axis.keys) {
                (Some(key), None) => vec![key],
                (None, Some(keys)) if !keys.is_empty() => keys.iter().collect(),
                _ => {
                    return Err(wrong(
                        Some(span),
                        "an axis has `key = \"...\"` or `keys = [\"...\", ...]`".to_owned(),
                    ));
                }
            };
            for key in &keys {
                known(key.get_ref()).map_err(|m| wrong(Some(key.span()), m))?;
                if axes.iter().any(|a| a.keys.contains(key.get_ref()))
                    || keys.iter().filter(|k| k.get_ref() == key.get_ref()).count() > 1
                {
                    return Err(wrong(
                        Some(key.span()),
                        format!("`{}` is on two axes", key.get_ref()),
                    ));
                }
            }
            if axis.values.get_ref().is_empty() {
                return Err(wrong(
                    Some(axis.values.span()),
                    "values = []: an axis has at least one value".to_owned(),
                ));
            }
            let mut values = Vec::new();
            for value in axis.values.get_ref() {
                let row =
                    row(value.get_ref(), keys.len()).map_err(|m| wrong(Some(value.span()), m))?;
                values.push(row);
            }
            points = points.saturating_mul(values.len() as u64);
            if points > MAX_POINTS {
                return Err(wrong(
                    Some(axis.values.span()),
                    format!("{points} points and more: at most {MAX_POINTS} in one sweep"),
                ));
            }
            axes.push(Axis {
                keys: keys.into_iter().map(|k| k.get_ref().clone()).collect(),
                values,
            });
        }
        let plain = |name: &str| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        };
        if !plain(raw.name.get_ref()) {
            return Err(wrong(
                Some(raw.name.span()),
                "name: letters, digits, - and _; it names the output files".to_owned(),
            ));
        }
        Ok(SweepSpec {
            name: raw.name.into_inner(),
            arch: raw.arch.into_inner().into(),
            workload: raw.workload.into_inner().into(),
            axes,
        })
    }

    /// Points of the sweep.
    #[must_use]
    pub fn points(&self) -> usize {
        self.axes.iter().map(|a| a.values.len()).product()
    }

    /// Key and value of each axis key at a point.
    #[must_use]
    pub fn settings(&self, point: usize) -> Vec<(&str, &str)> {
        let mut rest = point;
        let mut settings = Vec::new();
        for axis in self.axes.iter().rev() {
            let values = &axis.values[rest % axis.values.len()];
            rest /= axis.values.len();
            settings.extend(
                axis.keys
                    .iter()
                    .zip(values)
                    .rev()
                    .map(|(k, v)| (k.as_str(), v.as_str())),
            );
        }
        settings.reverse();
        settings
    }
}

fn known(key: &str) -> Result<(), String> {
    let keys = || {
        ArchParams::keys()
            .iter()
            .chain(WorkloadParams::keys())
            .chain(Technology::keys())
            .map(|k| k.path)
    };
    if keys().any(|k| k == key) {
        return Ok(());
    }
    let near =
        keys().max_by(|a, b| strsim::jaro_winkler(a, key).total_cmp(&strsim::jaro_winkler(b, key)));
    Err(format!(
        "`{key}`: no key of machine, workload or technology; did you mean `{}`?",
        near.unwrap_or_default()
    ))
}

/// One value per key: a plain value for one key, an array for several.
fn row(value: &toml::Value, keys: usize) -> Result<Vec<String>, String> {
    let scalar = |v: &toml::Value| match v {
        toml::Value::String(s) => Ok(s.clone()),
        toml::Value::Integer(i) => Ok(i.to_string()),
        toml::Value::Float(f) => Ok(f.to_string()),
        toml::Value::Boolean(b) => Ok(b.to_string()),
        other => Err(format!(
            "{other}: expected a number, a string, true or false"
        )),
    };
    match value {
        toml::Value::Array(row) if keys > 1 => {
            if row.len() != keys {
                return Err(format!("{} values for {keys} keys", row.len()));
            }
            row.iter().map(scalar).collect()
        }
        value if keys == 1 => Ok(vec![scalar(value)?]),
        other => Err(format!(
            "{other}: expected an array of {keys} values, one per key"
        )),
    }
}
