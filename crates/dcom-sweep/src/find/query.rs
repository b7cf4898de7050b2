//! What is asked: a quantity to minimize, and constraints on quantities. A quantity is a metric or a numeric key.

use std::fmt;

use dcom_arch::{Arch, ArchParams};
use dcom_config::{Kind, Value};
use dcom_mapper::WorkloadParams;
use thiserror::Error;

use crate::metric::{METRICS, Metric};
use crate::point::{Base, MachineSize, Point, PointError};

/// A question that is not one.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// Neither a metric nor a numeric key.
    #[error("`{name}` is neither a metric nor a numeric key; did you mean `{near}`?")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        near: String,
    },
    /// Not a comparison.
    #[error(
        "`{text}` is no constraint: expected a metric or key, one of <=, <, >=, >, and a number, such as \"time_us_per_prompt <= 450\""
    )]
    Constraint {
        /// The text.
        text: String,
    },
}

/// Something with a number at every point.
#[derive(Clone, Copy, Debug)]
pub enum Quantity {
    /// A metric.
    Metric(&'static Metric),
    /// A key of machine or workload.
    Key(&'static str),
}

/// How a quantity is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    AtMost,
    Below,
    AtLeast,
    Above,
}

/// A quantity and its bound.
#[derive(Clone, Copy, Debug)]
pub struct Constraint {
    /// What is bounded.
    pub quantity: Quantity,
    relation: Relation,
    /// The bound.
    pub bound: f64,
}

/// A question.
#[derive(Clone, Debug)]
pub struct Query {
    /// What is minimized.
    pub objective: Quantity,
    /// What must hold.
    pub constraints: Vec<Constraint>,
}

impl Query {
    /// Reads a question.
    ///
    /// # Errors
    /// What is no quantity or no constraint.
    pub fn parse(minimize: &str, subject_to: &[String]) -> Result<Query, QueryError> {
        let constraints = subject_to.iter().map(|c| Constraint::parse(c));
        Ok(Query {
            objective: Quantity::find(minimize)?,
            constraints: constraints.collect::<Result<_, _>>()?,
        })
    }
}

impl Quantity {
    /// The metric or numeric key of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn find(name: &str) -> Result<Quantity, QueryError> {
        if let Some(metric) = Metric::find(name) {
            return Ok(Quantity::Metric(metric));
        }
        let keys = || {
            let all = ArchParams::keys().iter().chain(WorkloadParams::keys());
            all.filter(|k| matches!(k.kind, Kind::Integer { .. } | Kind::Float { .. }))
                .map(|k| k.path)
        };
        if let Some(key) = keys().find(|k| *k == name) {
            return Ok(Quantity::Key(key));
        }
        let names = METRICS.iter().map(|m| m.name).chain(keys());
        let like = |n: &str| strsim::jaro_winkler(n, name);
        let near = names.max_by(|a, b| like(a).total_cmp(&like(b)));
        Err(QueryError::Unknown {
            name: name.to_owned(),
            near: near.unwrap_or_default().to_owned(),
        })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Quantity::Metric(metric) => metric.name,
            Quantity::Key(key) => key,
        }
    }

    /// The unit, empty for counts and shares.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Quantity::Metric(metric) => metric.unit,
            Quantity::Key(key) => {
                let mut all = ArchParams::keys().iter().chain(WorkloadParams::keys());
                all.find(|k| k.path == *key)
                    .and_then(|k| k.unit)
                    .unwrap_or_default()
            }
        }
    }

    /// Whether the parameters alone tell the number.
    pub(super) fn is_static(&self) -> bool {
        match self {
            Quantity::Metric(metric) => MachineSize::NAMES.contains(&metric.name),
            Quantity::Key(_) => true,
        }
    }

    /// The number of a point that has not been simulated.
    pub(super) fn before(&self, base: &Base) -> Result<f64, PointError> {
        let machine = MachineSize::of(&Arch::new(&base.arch)?);
        Ok(match self {
            Quantity::Metric(metric) => machine.get(metric.name),
            Quantity::Key(key) => key_value(base, key),
        })
    }

    /// The number of a point that has been.
    pub(super) fn after(&self, base: &Base, point: &Point) -> f64 {
        match self {
            Quantity::Metric(metric) => metric.of(point),
            Quantity::Key(key) => key_value(base, key),
        }
    }
}

fn key_value(base: &Base, key: &str) -> f64 {
    let entries = base
        .arch
        .entries()
        .into_iter()
        .chain(base.workload.entries());
    let mut found = entries.filter(|e| e.path == key).map(|e| e.value);
    match found.next() {
        #[expect(clippy::cast_precision_loss, reason = "ranges of keys end below 2^53")]
        Some(Value::Integer(value)) => value as f64,
        Some(Value::Float(value)) => value,
        other => unreachable!("{key} is a numeric key: {other:?}"),
    }
}

impl Constraint {
    fn parse(text: &str) -> Result<Constraint, QueryError> {
        // The longer signs first: `<=` begins with `<`.
        let signs = [
            ("<=", Relation::AtMost),
            (">=", Relation::AtLeast),
            ("<", Relation::Below),
            (">", Relation::Above),
        ];
        let wrong = || QueryError::Constraint {
            text: text.to_owned(),
        };
        let split = |(sign, relation): (&str, Relation)| {
            text.split_once(sign)
                .map(|(left, right)| (left, relation, right))
        };
        let (left, relation, right) = signs.into_iter().find_map(split).ok_or_else(wrong)?;
        let bound: f64 = right.trim().parse().map_err(|_| wrong())?;
        if !bound.is_finite() || left.trim().is_empty() {
            return Err(wrong());
        }
        Ok(Constraint {
            quantity: Quantity::find(left.trim())?,
            relation,
            bound,
        })
    }

    /// By which share of the bound a point misses it; 0 if it holds, and at least the smallest positive number if not.
    pub(super) fn miss(&self, base: &Base, point: &Point) -> f64 {
        let value = self.quantity.after(base, point);
        let over = if self.wants_less() {
            value - self.bound
        } else {
            self.bound - value
        };
        let holds = match self.relation {
            Relation::AtMost | Relation::AtLeast => over <= 0.0,
            Relation::Below | Relation::Above => over < 0.0,
        };
        if holds {
            0.0
        } else {
            (over / self.bound.abs().max(f64::MIN_POSITIVE)).max(f64::MIN_POSITIVE)
        }
    }

    /// Whether a smaller quantity is better.
    pub(super) fn wants_less(&self) -> bool {
        matches!(self.relation, Relation::AtMost | Relation::Below)
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.relation {
            Relation::AtMost => "<=",
            Relation::Below => "<",
            Relation::AtLeast => ">=",
            Relation::Above => ">",
        };
        write!(f, "{} {sign} {}", self.quantity.name(), self.bound)
    }
}

impl MachineSize {
    /// Metrics that are the machine's size.
    const NAMES: [&'static str; 5] = [
        "clusters",
        "banks",
        "multipliers",
        "bank_bytes",
        "buffer_bytes",
    ];

    #[expect(clippy::cast_precision_loss, reason = "counts below 2^53 are exact")]
    fn get(&self, name: &str) -> f64 {
        let count = match name {
            "clusters" => self.clusters,
            "banks" => self.banks,
            "multipliers" => self.multipliers,
            "bank_bytes" => self.bank_bytes,
            "buffer_bytes" => self.buffer_bytes,
            other => unreachable!("{other} is no size"),
        };
        count as f64
    }
}
