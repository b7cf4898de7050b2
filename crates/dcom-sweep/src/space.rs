//! The points of a sweep by number: their settings, what conditions say of them, and what names them in the cache.
//!
//! Nothing here grows with the number of points: a point is a number from 0, taken apart into one position per axis.

use dcom_config::{Document, KeyInfo};
use dcom_power::Technology;

use crate::cache::Key;
use crate::expression::{Expression, Name, Scalar};
use crate::keys;
use crate::metric::METRICS;
use crate::outcome::Numbers;
use crate::point::{Base, PointError};
use crate::spec::SweepSpec;

/// Version of the simulator, with the fingerprint of the sources that decide the numbers.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("DCOM_SOURCES"));

/// Fingerprint of the sources that decide the numbers.
pub const SOURCES: &str = env!("DCOM_SOURCES");

/// Keys that name files and decide nothing.
const NAMES: [&str; 3] = ["machine.name", "workload.name", "technology.name"];

/// A sweep with its machine, workload and technology: every point can be told.
#[derive(Debug)]
pub struct Space {
    spec: SweepSpec,
    base: Base,
    axes: Vec<Resolved>,
    /// Machine, workload and technology.
    schemas: [Keys; 3],
    filters: Vec<Bound>,
    constraints: Vec<Bound>,
}

/// An axis whose values are all known.
#[derive(Debug)]
struct Resolved {
    /// Points between two positions.
    stride: u64,
    length: u64,
    columns: Vec<Column>,
}

/// What a result file says about an axis in one column.
#[derive(Debug)]
pub struct Column {
    /// Key, or name of the column of presets.
    pub name: String,
    /// The key; `None`: names of presets.
    pub key: Option<&'static KeyInfo>,
    values: Vec<Box<str>>,
}

/// A key with its value: the same at all points, or a column of an axis.
#[derive(Debug)]
enum Value {
    Fixed(String),
    OnAxis(usize, usize),
}

#[derive(Debug)]
struct Line {
    path: &'static str,
    value: Value,
}

/// The keys of a schema, sorted.
#[derive(Debug)]
struct Keys {
    lines: Vec<Line>,
    /// Where no key is on an axis: of every point.
    digest: Option<Digest>,
}

/// What a schema's values at a point add to the point's identity.
#[derive(Clone, Debug)]
struct Digest {
    /// Of all keys but names.
    numbers: blake3::Hash,
    /// Of the names.
    names: blake3::Hash,
    /// The hash that `dcom run` prints for the same parameters.
    hash: String,
}

/// A condition whose names are bound to where their values are.
#[derive(Debug)]
struct Bound {
    expression: Expression,
    slots: Vec<Slot>,
}

#[derive(Debug)]
enum Slot {
    Fixed(Scalar),
    Axis(usize, Vec<Scalar>),
    Metric(usize),
}

/// What tells a point from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Without names: what its numbers depend on.
    pub(crate) numbers: Key,
    /// With names, which the reason of an infeasible point mentions.
    pub(crate) reason: Key,
    /// Of machine, workload and technology.
    pub(crate) hashes: [String; 3],
}

impl Space {
    /// Reads the machine, the workload and the technology of a sweep; `set` overrides `[set]`.
    ///
    /// # Errors
    /// What is wrong with the files or the overrides.
    pub fn open(spec: SweepSpec, set: &[(String, String)]) -> Result<Space, PointError> {
        let mut base = Base::read(&spec.arch, &spec.workload)?;
        if let Some(path) = &spec.tech {
            base.technology = Technology::read(path)?;
        }
        Space::new(spec, base, set)
    }

    /// The same with machine, workload and technology at hand.
    ///
    /// # Errors
    /// An override that its key does not take.
    pub fn new(
        spec: SweepSpec,
        mut base: Base,
        set: &[(String, String)],
    ) -> Result<Space, PointError> {
        for (key, value) in &spec.set {
            base.set(key.path, value)?;
        }
        for (key, value) in set {
            base.set(key, value)?;
        }
        let texts = [
            base.arch.canonical(),
            base.workload.canonical(),
            base.technology.canonical(),
        ];
        let fixed = |path: &str| {
            let line = texts
                .iter()
                .flat_map(|text| text.lines())
                .find_map(|line| line.strip_prefix(path)?.strip_prefix('='));
            line.expect("a key of a schema has a value").to_owned()
        };
        let mut axes = resolve(&spec, &fixed);
        let mut stride = 1;
        for axis in axes.iter_mut().rev() {
            axis.stride = stride;
            stride *= axis.length;
        }
        let find = |path: &str| {
            axes.iter().enumerate().find_map(|(at, axis)| {
                axis.columns
                    .iter()
                    .position(|c| c.key.is_some_and(|key| key.path == path))
                    .map(|column| (at, column))
            })
        };
        let lines = |keys: &'static [KeyInfo]| {
            let mut lines: Vec<Line> = keys
                .iter()
                .map(|key| Line {
                    path: key.path,
                    value: match find(key.path) {
                        Some((axis, column)) => Value::OnAxis(axis, column),
                        None => Value::Fixed(fixed(key.path)),
                    },
                })
                .collect();
            // As `canonical` sorts whole lines.
            lines.sort_by_cached_key(|line| format!("{}=", line.path));
            lines
        };
        let bind = |expression: &Expression| {
            let slot = |name: &Name| match *name {
                Name::Metric(metric) => Slot::Metric(
                    METRICS
                        .iter()
                        .position(|m| m.name == metric.name)
                        .expect("one of the list"),
                ),
                Name::Key(key) => match find(key.path) {
                    Some((axis, column)) => {
                        let values = &axes[axis].columns[column].values;
                        Slot::Axis(
                            axis,
                            values
                                .iter()
                                .map(|text| Scalar::of_key(key, text))
                                .collect(),
                        )
                    }
                    None => Slot::Fixed(Scalar::of_key(key, &fixed(key.path))),
                },
            };
            Bound {
                expression: expression.clone(),
                slots: expression.names().iter().map(slot).collect(),
            }
        };
        let schemas = keys::schemas().map(|(_, keys)| Keys::new(lines(keys)));
        let filters = spec.filters.iter().map(bind).collect();
        let constraints = spec.constraints.iter().map(bind).collect();
        Ok(Space {
            spec,
            base,
            axes,
            schemas,
            filters,
            constraints,
        })
    }

    /// The sweep as its file says.
    #[must_use]
    pub fn spec(&self) -> &SweepSpec {
        &self.spec
    }

    /// Machine, workload and technology that the axes start from.
    #[must_use]
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// Points of the whole grid, those that `where` leaves out included.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.spec.points()
    }

    /// The columns of the axes, in order.
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        self.axes.iter().flat_map(|axis| &axis.columns)
    }

    /// The columns of the last axis, the fastest.
    #[must_use]
    pub fn last_axis(&self) -> &[Column] {
        self.axes.last().map_or(&[], |axis| &axis.columns)
    }

    /// Positions in [`Space::columns`] of what tells points apart along all axes but the last: the names of presets
    /// stand for their keys.
    #[must_use]
    pub fn legend_columns(&self) -> Vec<usize> {
        let mut chosen = Vec::new();
        let mut start = 0;
        for axis in self.axes.iter().take(self.axes.len().saturating_sub(1)) {
            let named = axis
                .columns
                .iter()
                .take_while(|column| column.key.is_none())
                .count();
            let count = if named > 0 { named } else { axis.columns.len() };
            chosen.extend(start..start + count);
            start += axis.columns.len();
        }
        chosen
    }

    /// The values of a point, in the order of [`Space::columns`].
    pub fn settings(&self, point: u64) -> impl Iterator<Item = &str> {
        self.axes.iter().flat_map(move |axis| {
            let at = axis.position(point);
            axis.columns.iter().map(move |column| &*column.values[at])
        })
    }

    /// Whether a point is in the sweep: whether all of `where` holds.
    #[must_use]
    pub fn contains(&self, point: u64) -> bool {
        self.filters
            .iter()
            .all(|filter| filter.holds(self, point, &[]))
    }

    /// The first constraint that a point breaks.
    #[must_use]
    pub fn broken(&self, point: u64, numbers: &Numbers) -> Option<&str> {
        if self.constraints.is_empty() {
            return None;
        }
        let metrics: Vec<Scalar> = numbers
            .metrics
            .iter()
            .map(|value| Scalar::Number(*value))
            .collect();
        let broken = self
            .constraints
            .iter()
            .find(|c| !c.holds(self, point, &metrics));
        broken.map(|constraint| constraint.expression.text())
    }

    /// Machine, workload and technology at a point.
    ///
    /// # Errors
    /// None for values that a sweep file was checked for; they are those of the keys' setters.
    pub fn at(&self, point: u64) -> Result<Base, PointError> {
        let mut base = self.base.clone();
        for (column, value) in self.columns().zip(self.settings(point)) {
            if let Some(key) = column.key {
                base.set(key.path, value)?;
            }
        }
        Ok(base)
    }

    pub(crate) fn identity(&self, point: u64) -> Identity {
        let mut numbers = blake3::Hasher::new();
        let mut reason = blake3::Hasher::new();
        numbers.update(SOURCES.as_bytes());
        let hashes = self.schemas.each_ref().map(|keys| {
            let digest = keys.at(&self.axes, point);
            numbers.update(digest.numbers.as_bytes());
            reason.update(digest.names.as_bytes());
            digest.hash
        });
        let numbers = Key::of(&numbers.finalize());
        reason.update(numbers.as_bytes());
        Identity {
            numbers,
            reason: Key::of(&reason.finalize()),
            hashes,
        }
    }

    /// Hash of all that the rows of the result depend on. A comment in a file is not part of it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        add(VERSION);
        add(&self.base.arch.canonical());
        add(&self.base.workload.canonical());
        add(&self.base.technology.canonical());
        for axis in &self.axes {
            add(&format!("axis of {}", axis.length));
            for column in &axis.columns {
                add(&column.name);
                column.values.iter().for_each(|value| add(value));
            }
        }
        for (kind, conditions) in [("where", &self.filters), ("constraint", &self.constraints)] {
            for condition in conditions {
                add(kind);
                add(condition.expression.text());
            }
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

/// The axes with every value, those that presets leave as they are taken from the files.
fn resolve(spec: &SweepSpec, fixed: &impl Fn(&str) -> String) -> Vec<Resolved> {
    let axis = |axis: &crate::spec::Axis| {
        let presets = axis.presets.iter().map(|(name, values)| Column {
            name: name.clone(),
            key: None,
            values: values.iter().map(|value| value.as_str().into()).collect(),
        });
        let keys = axis.keys.iter().enumerate().map(|(at, key)| {
            let value = |row: &Vec<Option<String>>| {
                row[at].clone().unwrap_or_else(|| fixed(key.path)).into()
            };
            Column {
                name: key.path.to_owned(),
                key: Some(key),
                values: axis.values.iter().map(value).collect(),
            }
        });
        Resolved {
            stride: 1,
            length: axis.values.len() as u64,
            columns: presets.chain(keys).collect(),
        }
    };
    spec.axes.iter().map(axis).collect()
}

impl Resolved {
    fn position(&self, point: u64) -> usize {
        usize::try_from(point / self.stride % self.length)
            .expect("the position of a value in memory")
    }
}

impl Value {
    fn at<'a>(&'a self, axes: &'a [Resolved], point: u64) -> &'a str {
        match self {
            Value::Fixed(text) => text,
            Value::OnAxis(axis, column) => {
                let axis = &axes[*axis];
                &axis.columns[*column].values[axis.position(point)]
            }
        }
    }
}

impl Keys {
    fn new(lines: Vec<Line>) -> Keys {
        let fixed = lines
            .iter()
            .all(|line| matches!(line.value, Value::Fixed(_)));
        let digest = fixed.then(|| Digest::of(&lines, &[], 0));
        Keys { lines, digest }
    }

    fn at(&self, axes: &[Resolved], point: u64) -> Digest {
        match &self.digest {
            Some(digest) => digest.clone(),
            None => Digest::of(&self.lines, axes, point),
        }
    }
}

impl Digest {
    fn of(lines: &[Line], axes: &[Resolved], point: u64) -> Digest {
        let [mut all, mut numbers, mut names] = [4096, 4096, 64].map(String::with_capacity);
        for line in lines {
            let start = all.len();
            all.push_str(line.path);
            all.push('=');
            all.push_str(line.value.at(axes, point));
            all.push('\n');
            let own = if NAMES.contains(&line.path) {
                &mut names
            } else {
                &mut numbers
            };
            own.push_str(&all[start..]);
        }
        Digest {
            numbers: blake3::hash(numbers.as_bytes()),
            names: blake3::hash(names.as_bytes()),
            hash: Document::hash(&all),
        }
    }
}

impl Bound {
    fn holds(&self, space: &Space, point: u64, metrics: &[Scalar]) -> bool {
        self.expression.holds(|name| match &self.slots[name] {
            Slot::Fixed(value) => value,
            Slot::Axis(axis, values) => &values[space.axes[*axis].position(point)],
            Slot::Metric(at) => &metrics[*at],
        })
    }
}
