//! Keys: their paths, kinds and ranges, and the reference table made of them.
//!
//! A [`Schema`] is a constant built by [`schema!`](crate::schema!); what can be checked about it is checked while
//! compiling.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// Longest text value, in characters: assumed to suffice for names, and short enough for one line of a report.
pub const TEXT_LIMIT: usize = 200;

/// Whether the values of a file must say where they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// Every key is written `{ value = ..., mark = ..., source = ... }`.
    Required,
    /// Keys may also be written plain.
    Optional,
}

/// The keys of one kind of file.
#[derive(Debug)]
pub struct Schema {
    name: &'static str,
    marks: Marks,
    keys: &'static [KeyInfo],
}

/// One key of a schema.
#[derive(Clone, Copy, Debug)]
pub struct KeyInfo {
    /// `table.key`, or with more tables around it.
    pub path: &'static str,
    /// Field of the struct that holds the value.
    pub field: &'static str,
    /// Type and range.
    pub kind: Kind,
    /// Unit of the value, if it has one.
    pub unit: Option<&'static str>,
    /// What the key means.
    pub doc: &'static str,
    /// The value of a key that the file leaves out, as in `--set`; `None`: the key is required.
    pub default: Option<&'static str>,
}

/// Type and range of a key. Ranges include both ends.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// An integer.
    Integer {
        /// Smallest value.
        min: i128,
        /// Largest value.
        max: i128,
    },
    /// A finite number; integers are accepted.
    Float {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// A finite number with the interval it is known to lie in: `value`, `low` and `high` in the file.
    Coefficient {
        /// Smallest `low`.
        min: f64,
        /// Largest `high`.
        max: f64,
    },
    /// `true` or `false`.
    Bool,
    /// 1 to [`TEXT_LIMIT`] characters, none of them a control character.
    Text,
    /// One of several names.
    Choice {
        /// The names.
        names: &'static [&'static str],
    },
}

impl Schema {
    /// Checks and wraps a list of keys.
    ///
    /// # Panics
    /// (while compiling, where [`schema!`](crate::schema!) uses it) If a path has no table, or two paths are equal,
    /// or one is a table of another.
    pub const fn new(name: &'static str, marks: Marks, keys: &'static [KeyInfo]) -> Self {
        let mut i = 0;
        while i < keys.len() {
            assert!(
                has_table(keys[i].path.as_bytes()),
                "a key's path must be `table.key`"
            );
            let mut j = 0;
            while j < keys.len() {
                assert!(
                    i == j || !is_within(keys[i].path.as_bytes(), keys[j].path.as_bytes()),
                    "a key's path occurs twice, or is a table of another key"
                );
                j += 1;
            }
            i += 1;
        }
        Self { name, marks, keys }
    }

    /// What kind of file this is, such as "arch".
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether values need marks.
    pub fn marks(&self) -> Marks {
        self.marks
    }

    /// All keys.
    pub fn keys(&self) -> &'static [KeyInfo] {
        self.keys
    }

    /// The position in [`Self::keys`] of a path.
    pub fn index_of(&self, path: &str) -> Option<usize> {
        self.keys.iter().position(|key| key.path == path)
    }

    /// Whether `path` names a table that holds keys, directly or in tables within.
    pub(crate) fn is_table(&self, path: &str) -> bool {
        self.keys.iter().any(|key| key.inside(path).is_some())
    }

    /// Markdown table of the keys, in the order of the schema.
    pub fn reference_table(&self) -> String {
        let mut table = String::from(
            "| Key | Type | Values | Unit | Default | Meaning |\n|---|---|---|---|---|---|\n",
        );
        for key in self.keys {
            let default = key
                .default
                .map_or_else(|| "required".to_owned(), |text| format!("`{text}`"));
            writeln!(
                table,
                "| `{}` | {} | {} | {} | {default} | {} |",
                key.path,
                key.kind.name(),
                key.kind.range(),
                key.unit.unwrap_or("-"),
                key.doc.replace('|', "\\|"),
            )
            .expect("writing to a String");
        }
        table
    }
}

impl KeyInfo {
    /// The table part of the path.
    pub fn table(&self) -> &'static str {
        split(self.path).0
    }

    /// The path without the table.
    pub fn leaf(&self) -> &'static str {
        split(self.path).1
    }

    /// The rest of the path within a table around the key.
    pub(crate) fn inside(&self, table: &str) -> Option<&'static str> {
        self.path.strip_prefix(table)?.strip_prefix('.')
    }

    /// The allowed values and their unit: `1..=1024 (columns)`.
    pub fn range(&self) -> String {
        let range = self.kind.range();
        self.unit
            .map_or_else(|| range.clone(), |unit| format!("{range} ({unit})"))
    }

    /// Type, allowed values and unit: `an integer in 1..=1024 (columns)`.
    pub fn expectation(&self) -> String {
        match self.kind {
            Kind::Integer { .. } => format!("an integer in {}", self.range()),
            Kind::Float { .. } => format!("a finite number in {}", self.range()),
            Kind::Coefficient { .. } => {
                format!(
                    "a finite number in {}, with low <= value <= high",
                    self.range()
                )
            }
            Kind::Bool => "true or false".to_owned(),
            Kind::Text => format!("a text of {}", self.range()),
            Kind::Choice { .. } => format!("one of {}", self.range()),
        }
    }
}

impl Kind {
    /// An unsigned 32-bit integer.
    pub const fn u32(range: RangeInclusive<u32>) -> Self {
        Self::integer(*range.start() as i128, *range.end() as i128)
    }

    /// An unsigned 64-bit integer.
    pub const fn u64(range: RangeInclusive<u64>) -> Self {
        Self::integer(*range.start() as i128, *range.end() as i128)
    }

    /// A signed 32-bit integer.
    pub const fn i32(range: RangeInclusive<i32>) -> Self {
        Self::integer(*range.start() as i128, *range.end() as i128)
    }

    /// A finite 64-bit float.
    pub const fn f64(range: RangeInclusive<f64>) -> Self {
        let (min, max) = (*range.start(), *range.end());
        assert!(
            min.is_finite() && max.is_finite() && min <= max,
            "a range needs finite ends in order"
        );
        Self::Float { min, max }
    }

    /// A number with the interval it is known to lie in.
    pub const fn coefficient(range: RangeInclusive<f64>) -> Self {
        match Self::f64(range) {
            Self::Float { min, max } => Self::Coefficient { min, max },
            _ => unreachable!(),
        }
    }

    const fn integer(min: i128, max: i128) -> Self {
        assert!(min <= max, "the ends of a range must be in order");
        Self::Integer { min, max }
    }

    /// The type, in a word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Integer { .. } => "integer",
            Self::Float { .. } => "number",
            Self::Coefficient { .. } => "coefficient",
            Self::Bool => "boolean",
            Self::Text => "text",
            Self::Choice { .. } => "choice",
        }
    }

    /// The allowed values.
    pub fn range(&self) -> String {
        match self {
            Self::Integer { min, max } => format!("{min}..={max}"),
            Self::Float { min, max } | Self::Coefficient { min, max } => {
                // `{:?}` switches to exponents for long numbers, but adds ".0" to whole ones.
                let end = |x: &f64| format!("{x:?}").trim_end_matches(".0").to_owned();
                format!("{}..={}", end(min), end(max))
            }
            Self::Bool => "true, false".to_owned(),
            Self::Text => format!("1 to {TEXT_LIMIT} characters"),
            Self::Choice { names } => names
                .iter()
                .map(|name| format!("\"{name}\""))
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}

/// Splits a path at its last dot into table (perhaps empty) and key.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

const fn has_table(path: &[u8]) -> bool {
    let mut i = 1;
    while i + 1 < path.len() {
        if path[i] == b'.' {
            return true;
        }
        i += 1;
    }
    false
}

/// Whether `inner` equals `outer` or lies in the table `outer`.
const fn is_within(inner: &[u8], outer: &[u8]) -> bool {
    if inner.len() < outer.len() || (inner.len() > outer.len() && inner[outer.len()] != b'.') {
        return false;
    }
    let mut i = 0;
    while i < outer.len() {
        if inner[i] != outer[i] {
            return false;
        }
        i += 1;
    }
    true
}
