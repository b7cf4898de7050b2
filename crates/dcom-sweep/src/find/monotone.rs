//! Which quantities are declared monotone along which keys.
//!
//! Declared only where docs/machine.md, section 3, gives the reason. An issue time is a maximum over done cycles and over the
//! cycles from which units are free, less the offset at which the instruction uses the unit. So a key that only makes
//! durations or done cycles longer cannot let anything happen earlier. A key that is part of an *offset* can: the
//! instruction may then issue earlier, and with it what follows. Most latencies are such offsets, and are not declared; neither
//! are widths and counts, which move layouts.

use super::query::{Constraint, Quantity, Query};
use crate::point::Base;
use crate::spec::SweepSpec;

/// Shortest axis that is worth bisecting: below, the checks cost what the bisection saves.
const WORTHWHILE: usize = 8;

/// How a quantity goes along a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Does not fall.
    Rises,
    /// Does not rise.
    Falls,
    /// Is the same.
    Constant,
}

/// Rates: durations shrink as they grow. Not with `mapping.overlap_ingest`: there the link takes its rate off the
/// memory's, and a faster link is a slower memory.
const RATES: [&str; 2] = ["memory.bandwidth_gb_per_s", "link.bandwidth_gb_per_s"];

/// Where the rates would not be monotone.
const OVERLAP: &str = "mapping.overlap_ingest";

/// Durations, and latencies that are part of done cycles alone.
const LATENCIES: [&str; 8] = [
    "cluster.buffer_write_cycles",
    "bank.write_cycles",
    "scalar.simple_cycles",
    "scalar.divide_cycles",
    "scalar.sqrt_cycles",
    "svd.round_trip_cycles",
    "svd.millicycles_per_k3",
    "sequencer.decode_cycles",
];

/// Metrics that go with the time.
const TIMES: [&str; 3] = ["time_us_per_prompt", "time_us", "cycles"];

/// Metrics that none of these keys changes.
const SIZES: [&str; 5] = [
    "clusters",
    "banks",
    "multipliers",
    "bank_bytes",
    "buffer_bytes",
];

impl Quantity {
    /// The declared direction along a key, if any.
    #[must_use]
    pub fn direction(&self, key: &str) -> Option<Direction> {
        let metric = match self {
            Quantity::Key(own) if *own == key => return Some(Direction::Rises),
            Quantity::Key(_) => return Some(Direction::Constant),
            Quantity::Metric(metric) => metric.name,
        };
        let time = if RATES.contains(&key) {
            Direction::Falls
        } else if LATENCIES.contains(&key) {
            Direction::Rises
        } else {
            return None;
        };
        match metric {
            m if TIMES.contains(&m) => Some(time),
            "prompts_per_s" => Some(time.reversed()),
            m if SIZES.contains(&m) => Some(Direction::Constant),
            _ => None,
        }
    }
}

impl Direction {
    fn reversed(self) -> Direction {
        match self {
            Direction::Rises => Direction::Falls,
            Direction::Falls => Direction::Rises,
            Direction::Constant => Direction::Constant,
        }
    }

    /// Whether two values in the order of the key agree with the declaration.
    pub(super) fn agrees(self, first: f64, second: f64) -> bool {
        match self {
            Direction::Rises => first <= second,
            Direction::Falls => first >= second,
            Direction::Constant => first == second,
        }
    }
}

impl Constraint {
    /// Whether a constraint that holds at one value of the key holds at all larger ones.
    fn relaxes_upwards(&self, key: &str) -> Option<bool> {
        let direction = self.quantity.direction(key)?;
        Some(match direction {
            Direction::Constant => true,
            Direction::Falls => self.wants_less(),
            Direction::Rises => !self.wants_less(),
        })
    }
}

/// The longest axis along which the objective grows and every constraint relaxes.
pub(super) fn axis(spec: &SweepSpec, query: &Query, base: &Base) -> Option<Monotone> {
    let overlaps = base.workload.overlap_ingest
        || spec
            .axes
            .iter()
            .any(|a| a.keys.iter().any(|k| k.path == OVERLAP));
    let candidates = spec.axes.iter().enumerate().filter_map(|(at, axis)| {
        let [key] = axis.keys.as_slice() else {
            return None;
        };
        let key = key.path;
        if overlaps && RATES.contains(&key) {
            return None;
        }
        let values: Vec<f64> = axis
            .values
            .iter()
            .map(|v| v[0].as_ref()?.parse().ok())
            .collect::<Option<_>>()?;
        let ascending = values.windows(2).all(|v| v[0] < v[1]);
        // The objective must grow as the constraints relax, or else its best value is at an end that needs no bisection.
        let grows = query.objective.direction(key)? == Direction::Rises;
        let relaxes = query
            .constraints
            .iter()
            .all(|c| c.relaxes_upwards(key) == Some(true));
        (ascending && grows && relaxes && values.len() >= WORTHWHILE).then(|| Monotone {
            axis: at,
            key: key.to_owned(),
            length: values.len(),
        })
    });
    candidates.max_by_key(|m| m.length)
}

/// An axis to bisect.
pub(super) struct Monotone {
    /// Position among the axes.
    pub(super) axis: usize,
    /// Its key.
    pub(super) key: String,
    /// Its values.
    pub(super) length: usize,
}
