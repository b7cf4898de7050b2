//! The file of a study: a checkpoint, what is read, a scenario, and axes over keys of points and of the scenario.

use std::path::{Path, PathBuf};

use dcom_config::{At, ConfigError, KeyInfo, Section, Source, nearest, read_sections};
use dcom_llm::Scenario;
use toml::de::DeValue;

use crate::setting::Setting;

/// Tables and keys at the top of the file.
const KEYS: [&str; 8] = [
    "name",
    "checkpoint",
    "cuda",
    "text",
    "questions",
    "scenario",
    "set",
    "axis",
];

/// Most points; each runs a model. Assumed: a day at ten seconds a point.
const MAX_POINTS: usize = 10_000;

/// One axis: keys that change together, position by position.
#[derive(Clone, Debug)]
struct Axis {
    /// Keys of [`Setting`] or of [`Scenario`].
    keys: Vec<&'static str>,
    /// For each position one value per key.
    values: Vec<Vec<String>>,
}

/// A study as its file says. Paths are relative to the current directory.
#[derive(Clone, Debug)]
pub struct Study {
    /// Name, for output files.
    pub name: String,
    /// The model: a folder in the Hugging Face layout.
    pub checkpoint: PathBuf,
    /// The CUDA device that it runs on; none for the CPU.
    pub cuda: Option<usize>,
    /// Text whose perplexity is measured.
    pub text: Option<PathBuf>,
    /// Multiple-choice questions that are asked.
    pub questions: Option<PathBuf>,
    /// What the plans cost: a scenario of the same model.
    pub scenario: PathBuf,
    /// What differs from defaults and from the scenario's file at every point.
    fixed: Vec<(&'static str, String)>,
    /// Axes, crossed, the last one fastest.
    axes: Vec<Axis>,
    source: Source,
}

impl Study {
    /// Whether a file means to be a study and no sweep over machines: it names a checkpoint.
    #[must_use]
    pub fn is_one(source: &Source) -> bool {
        let table = source.text.parse::<toml::Table>();
        table.is_ok_and(|table| table.contains_key("checkpoint"))
    }

    /// Reads a study.
    ///
    /// # Errors
    /// File, line, key, value and what would be right.
    pub fn read(path: &Path) -> Result<Study, ConfigError> {
        Study::parse(Source::read(path)?)
    }

    /// Parses a study.
    ///
    /// # Errors
    /// As [`Study::read`].
    pub fn parse(source: Source) -> Result<Study, ConfigError> {
        read_sections(&source, &KEYS, |file| {
            let name = file.text("name")?;
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            if !name.value.chars().all(plain) {
                let message = "must be letters, digits, - and _: it names the output files";
                return Err(name.error(message, None));
            }
            let path = |key: &str| {
                let text = file.optional_text(key)?;
                Ok::<_, ConfigError>(text.map(|text| PathBuf::from(text.value)))
            };
            let (text, questions) = (path("text")?, path("questions")?);
            if text.is_none() && questions.is_none() {
                let help = "text = \"FILE\" for perplexity, questions = \"FILE.jsonl\" for the share of right answers";
                return Err(file.error("there is nothing to measure", Some(help.to_owned())));
            }
            let cuda = match file.has("cuda") {
                true => Some(file.integer("cuda", 0..=1023)?.value),
                false => None,
            };
            let study = Study {
                name: name.value,
                checkpoint: PathBuf::from(file.text("checkpoint")?.value),
                cuda: cuda.map(|index| usize::try_from(index).expect("10 bits")),
                text,
                questions,
                scenario: PathBuf::from(file.text("scenario")?.value),
                fixed: overrides(file)?,
                axes: axes(file)?,
                source: source.clone(),
            };
            study.checked(file)?;
            Ok(study)
        })
    }

    /// Overrides a key at every point.
    ///
    /// # Errors
    /// An unknown key, one that is on an axis, or a value out of its range.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let known = find(key).map_err(|(message, help)| match help {
            Some(help) => format!("{message}; {help}"),
            None => message,
        })?;
        if self.columns().any(|column| column == key) {
            return Err(format!("`{key}` is on an axis of {}", self.source.name));
        }
        let value = known.parse(value)?.to_string();
        match self.fixed.iter_mut().find(|(old, _)| *old == key) {
            Some((_, old)) => *old = value,
            None => self.fixed.push((known.path, value)),
        }
        Ok(())
    }

    /// Keys that axes vary, in the order of columns.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.axes.iter().flat_map(|axis| axis.keys.iter().copied())
    }

    /// Number of points.
    #[must_use]
    pub fn points(&self) -> usize {
        self.axes.iter().map(|axis| axis.values.len()).product()
    }

    /// The values of a point, in the order of columns.
    #[must_use]
    pub fn values(&self, point: usize) -> Vec<&str> {
        let mut rest = point;
        let mut chosen = Vec::new();
        for axis in self.axes.iter().rev() {
            chosen.push(&axis.values[rest % axis.values.len()]);
            rest /= axis.values.len();
        }
        let values = chosen.into_iter().rev().flatten();
        values.map(String::as_str).collect()
    }

    /// What results depend on, beside the files that are named here.
    pub(crate) fn canonical(&self) -> String {
        let fixed = self
            .fixed
            .iter()
            .map(|(key, value)| format!("{key}={value}\n"));
        fixed.fold(self.source.text.clone(), |text, line| text + &line)
    }

    /// What points say, and the scenario of each: all of `set`, then the values of the axes.
    pub(crate) fn at(
        &self,
        point: usize,
        scenario: &Scenario,
    ) -> Result<(Setting, Scenario), ConfigError> {
        let (mut setting, mut scenario) = (Setting::untouched()?, scenario.clone());
        let fixed = self.fixed.iter().map(|(key, value)| (*key, value.as_str()));
        for (key, value) in fixed.chain(self.columns().zip(self.values(point))) {
            if is_setting(key) {
                setting.set(key, value)?;
            } else {
                scenario.set(key, value)?;
            }
        }
        Ok((setting, scenario))
    }

    fn checked(&self, file: &Section<'_>) -> Result<(), ConfigError> {
        let mut seen = Vec::new();
        for key in self.fixed.iter().map(|(key, _)| *key).chain(self.columns()) {
            if seen.contains(&key) {
                let message = format!("`{key}` is set twice, in [set] or on an axis");
                return Err(file.error(message, None));
            }
            seen.push(key);
        }
        for key in ["plan.layers", "plan.rank"] {
            if !seen.contains(&key) {
                let help = "put it on an axis or into [set]";
                return Err(file.error(format!("`{key}` is missing"), Some(help.to_owned())));
            }
        }
        if self.points() > MAX_POINTS {
            let message = format!("{} points: at most {MAX_POINTS}", self.points());
            return Err(file.error(message, None));
        }
        Ok(())
    }
}

fn is_setting(key: &str) -> bool {
    Setting::keys().iter().any(|known| known.path == key)
}

/// Keys of points and scenarios; a study's scenario has the model and the plan that the study says.
fn keys() -> impl Iterator<Item = &'static KeyInfo> {
    let fixed = ["scenario.name", "files.model", "files.plan"];
    let scenario = Scenario::keys().iter();
    Setting::keys()
        .iter()
        .chain(scenario.filter(move |key| !fixed.contains(&key.path)))
}

/// The tables that these keys are in.
fn tables() -> Vec<&'static str> {
    let mut tables: Vec<&str> = keys().map(KeyInfo::table).collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

fn overrides(file: &Section<'_>) -> Result<Vec<(&'static str, String)>, ConfigError> {
    if !file.has("set") {
        return Ok(Vec::new());
    }
    let tables = tables();
    let set = file.section("set", &tables)?;
    let mut all = Vec::new();
    for table in tables {
        for (leaf, value) in set.entries(table)? {
            let key = find(&format!("{table}.{leaf}"))
                .map_err(|(message, help)| value.error(message, help))?;
            all.push((key.path, canonical(key, &value)?));
        }
    }
    Ok(all)
}

fn axes(file: &Section<'_>) -> Result<Vec<Axis>, ConfigError> {
    let mut all = Vec::new();
    for table in file.sections("axis", &["key", "keys", "values"])? {
        let names: Vec<At<'_, String>> = match (table.has("key"), table.has("keys")) {
            (true, false) => vec![table.text("key")?],
            (false, true) => table
                .list("keys")?
                .into_iter()
                .map(At::text)
                .collect::<Result<_, _>>()?,
            (true, true) | (false, false) => {
                let message = "an axis has `key = \"...\"`, or `keys = [...]` that change together";
                return Err(table.error(message, None));
            }
        };
        let keys = names
            .iter()
            .map(|name| find(&name.value).map_err(|(message, help)| name.error(message, help)));
        let keys: Vec<&KeyInfo> = keys.collect::<Result<_, _>>()?;
        let positions = table.list("values")?;
        if keys.is_empty() || positions.is_empty() {
            let message = "an axis has at least one key and one value: values = [...]";
            return Err(table.error(message, None));
        }
        let together = table.has("keys");
        let values = positions
            .iter()
            .map(|position| row(&keys, position, together));
        all.push(Axis {
            keys: keys.iter().map(|key| key.path).collect(),
            values: values.collect::<Result<_, _>>()?,
        });
    }
    Ok(all)
}

/// The values of all keys at one position.
fn row(
    keys: &[&'static KeyInfo],
    position: &At<'_, &DeValue<'_>>,
    together: bool,
) -> Result<Vec<String>, ConfigError> {
    if !together {
        return Ok(vec![canonical(keys[0], position)?]);
    }
    match position.value {
        DeValue::Array(items) if items.len() == keys.len() => keys
            .iter()
            .zip(items)
            .map(|(key, item)| canonical(key, &position.with(item.get_ref())))
            .collect(),
        _ => {
            let message = format!("must be a list of {} values, one per key", keys.len());
            Err(position.error(message, None))
        }
    }
}

fn find(path: &str) -> Result<&'static KeyInfo, (String, Option<String>)> {
    keys().find(|key| key.path == path).ok_or_else(|| {
        let near = nearest(path, keys().map(|key| key.path));
        let help = near.map_or_else(
            || {
                let all: Vec<&str> = keys().map(|key| key.path).collect();
                format!("keys: {}", all.join(", "))
            },
            |near| format!("did you mean `{near}`?"),
        );
        ("unknown key".to_owned(), Some(help))
    })
}

/// The value as an override would write it, checked.
fn canonical(key: &KeyInfo, found: &At<'_, &DeValue<'_>>) -> Result<String, ConfigError> {
    let text = match found.value {
        DeValue::String(text) => text.as_ref().to_owned(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            return Err(found.error(format!("must be {}", key.expectation()), None));
        }
    };
    key.parse(&text)
        .map(|value| value.to_string())
        .map_err(|message| found.error(message, None))
}
