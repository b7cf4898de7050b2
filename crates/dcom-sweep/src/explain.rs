//! What the time of a design point consists of, and what each parameter would buy.
//!
//! A parameter's worth is found by simulating its neighbours, never from a formula: machines have kinks, so both
//! directions are tried, by a small step for the elasticity and by a factor of two for what an architect can quote.

use dcom_arch::{Arch, ArchParams};
use dcom_config::{Entry, KeyInfo, Kind, Mark, Value};
use dcom_mapper::{WorkloadParams, map};
use dcom_timing::{LowerBound, UnitKind, lower_bound};
use rayon::prelude::*;

use crate::point::{Base, Point, PointError, evaluate};

/// The relative step of an elasticity; an integer moves by at least 1. Assumed: small against the distance between
/// kinks, large against the cycle to which a run is counted.
pub const STEP: f64 = 0.01;

/// A change below this share is called none. Assumed: nobody builds hardware for a thousandth.
pub const NOTHING: f64 = 0.001;

/// A parameter is a wall if the time with half of it is longer by at least this share. Assumed: what is far from being
/// a wall does not become one by doubling another parameter.
const WALL: f64 = 0.1;

/// What two parameters must buy together beyond the sum of what each buys, to be named as a pair. Assumed.
const SYNERGY: f64 = 0.01;

/// A design point with its bound and what its parameters would buy.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Machine and workload by name.
    pub names: (String, String),
    /// The point.
    pub point: Point,
    /// What the same program takes at the rates of the machine.
    pub bound: LowerBound,
    /// Every parameter but names; the one with the most to gain first.
    pub levers: Vec<Lever>,
    /// Parameters that hold each other back: doubled together they buy more than one by one. The best pair first.
    pub pairs: Vec<Pair>,
}

/// Two parameters that are doubled together.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Their keys.
    pub keys: [&'static str; 2],
    /// The change of time per prompt with both doubled.
    pub relative: f64,
}

/// Who decides about a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The architect: hardware.
    Machine,
    /// Whoever maps the workload.
    Mapping,
    /// Nobody here: it is the problem.
    Problem,
}

/// One parameter and its neighbours.
#[derive(Clone, Debug)]
pub struct Lever {
    /// Key.
    pub key: &'static str,
    /// Unit of the value.
    pub unit: Option<&'static str>,
    /// Who decides about it.
    pub role: Role,
    /// How far the value can be trusted.
    pub mark: Option<Mark>,
    /// The value in effect.
    pub value: Value,
    /// Other values, those tried in vain included.
    pub neighbours: Vec<Neighbour>,
}

/// One other value of a parameter.
#[derive(Clone, Debug)]
pub struct Neighbour {
    /// How it was chosen.
    pub step: Step,
    /// The value, as in `--set`.
    pub value: String,
    /// What it changes, or why it cannot be.
    pub outcome: Result<Change, String>,
}

/// How a neighbour was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next feasible value above, at least [`STEP`] away.
    Up,
    /// The next feasible value below.
    Down,
    /// Twice the value.
    Double,
    /// Half the value; of an odd integer, rounded down.
    Halve,
    /// Another name of a choice.
    Other,
}

/// What a neighbour changes.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The time there (us).
    pub time_us_per_prompt: f64,
    /// The time there over the time here, minus 1.
    pub relative: f64,
    /// d log time / d log parameter over this step; none from zero, and none for choices.
    pub elasticity: Option<f64>,
}

/// Explains a point.
///
/// # Errors
/// The point itself does not evaluate, or a neighbour fails. An infeasible neighbour is a part of the answer.
pub fn explain(base: &Base) -> Result<Explanation, PointError> {
    let point = evaluate(base)?;
    let arch = Arch::new(&base.arch)?;
    let mapped = map(&arch, &base.workload)?;
    let bound = lower_bound(&mapped.program.verify(&arch)?);
    let keys = ArchParams::keys().iter().chain(WorkloadParams::keys());
    let entries = base
        .arch
        .entries()
        .into_iter()
        .chain(base.workload.entries());
    let parameters: Vec<_> = keys
        .zip(entries)
        .filter(|(info, _)| !matches!(info.kind, Kind::Text))
        .collect();
    let mut levers: Vec<Lever> = parameters
        .par_iter()
        .map(|(info, entry)| lever(base, point.time_us_per_prompt, info, entry))
        .collect::<Result<_, _>>()?;
    levers.sort_by(|a, b| a.best().total_cmp(&b.best()).then(a.key.cmp(b.key)));
    Ok(Explanation {
        names: (base.arch.name.clone(), base.workload.name.clone()),
        bound,
        pairs: pairs(base, point.time_us_per_prompt, &levers)?,
        point,
        levers,
    })
}

/// Doubles every two of the walls together.
fn pairs(base: &Base, time: f64, levers: &[Lever]) -> Result<Vec<Pair>, PointError> {
    let worth = |l: &Lever, step| l.change(step).map(|c| c.relative);
    let walls: Vec<(&Lever, f64)> = levers
        .iter()
        .filter(|l| l.role != Role::Problem && worth(l, Step::Halve).is_some_and(|c| c >= WALL))
        .filter_map(|l| Some((l, worth(l, Step::Double)?)))
        .collect();
    let both = (0..walls.len()).flat_map(|a| (a + 1..walls.len()).map(move |b| (a, b)));
    let both: Vec<_> = both.map(|(a, b)| (walls[a], walls[b])).collect();
    let pairs: Vec<Option<Pair>> = both
        .par_iter()
        .map(|((a, alone_a), (b, alone_b))| {
            // A pair that cannot be built is no advice.
            let Ok(there) = time_at(base, &[a.doubled(), b.doubled()])? else {
                return Ok(None);
            };
            let relative = there / time - 1.0;
            let alone = alone_a.min(0.0) + alone_b.min(0.0);
            Ok((relative < alone - SYNERGY).then_some(Pair {
                keys: [a.key, b.key],
                relative,
            }))
        })
        .collect::<Result<_, PointError>>()?;
    let mut pairs: Vec<Pair> = pairs.into_iter().flatten().collect();
    pairs.sort_by(|a, b| a.relative.total_cmp(&b.relative).then(a.keys.cmp(&b.keys)));
    Ok(pairs)
}

/// The time per prompt with some keys changed (us), or why that machine does not exist.
fn time_at(base: &Base, changes: &[(&str, &String)]) -> Result<Result<f64, String>, PointError> {
    let mut at = base.clone();
    let there = changes
        .iter()
        .try_for_each(|(key, value)| at.set(key, value))
        .and_then(|()| evaluate(&at));
    match there {
        Ok(point) => Ok(Ok(point.time_us_per_prompt)),
        Err(error) if error.is_infeasible() => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

fn lever(base: &Base, time: f64, info: &KeyInfo, entry: &Entry<'_>) -> Result<Lever, PointError> {
    let mut neighbours = Vec::new();
    for (step, candidates) in candidates(info, &entry.value) {
        for value in candidates {
            let ratio = number(&value)
                .zip(value_number(&entry.value))
                .map(|(new, old)| new / old)
                .filter(|ratio| ratio.is_finite() && *ratio > 0.0);
            let slope = |there: f64| ratio.map(|ratio| (there / time).ln() / ratio.ln());
            let outcome = time_at(base, &[(info.path, &value)])?.map(|there| Change {
                time_us_per_prompt: there,
                relative: there / time - 1.0,
                elasticity: slope(there),
            });
            let feasible = outcome.is_ok();
            neighbours.push(Neighbour {
                step,
                value,
                outcome,
            });
            if feasible {
                break;
            }
        }
    }
    Ok(Lever {
        key: info.path,
        unit: info.unit,
        role: Role::of(info.path),
        mark: entry.mark,
        value: entry.value.clone(),
        neighbours,
    })
}

/// For each step, the values to try in turn until one is feasible.
fn candidates(info: &KeyInfo, value: &Value) -> Vec<(Step, Vec<String>)> {
    match (info.kind, value) {
        (Kind::Integer { min, max }, Value::Integer(at)) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "rounded down on purpose; ranges end below 2^53"
            )]
            let first = ((*at as f64 * STEP) as i128).max(1);
            // Twice as far each time, as far as the neighbour by a factor of two.
            let far = (*at).max(1);
            let distances: Vec<i128> = std::iter::successors(Some(first), |d| Some(d * 2))
                .take_while(|d| *d <= far)
                .collect();
            let inside = |values: Vec<i128>| -> Vec<String> {
                let legal = values.into_iter().filter(|v| (min..=max).contains(v));
                legal.map(|v| v.to_string()).collect()
            };
            let mut steps = vec![
                (Step::Up, inside(distances.iter().map(|d| at + d).collect())),
                (
                    Step::Down,
                    inside(distances.iter().map(|d| at - d).collect()),
                ),
            ];
            if *at > 0 {
                steps.push((Step::Double, inside(vec![at * 2])));
                steps.push((Step::Halve, inside(vec![at / 2])));
            }
            steps
        }
        (Kind::Float { min, max }, Value::Float(at)) => {
            let inside = |value: f64| {
                let legal = Some(value).filter(|v| (min..=max).contains(v) && v != at);
                legal.map(|v| v.to_string()).into_iter().collect()
            };
            vec![
                (Step::Up, inside(at * (1.0 + STEP))),
                (Step::Down, inside(at * (1.0 - STEP))),
                (Step::Double, inside(at * 2.0)),
                (Step::Halve, inside(at / 2.0)),
            ]
        }
        (Kind::Bool, Value::Bool(at)) => vec![(Step::Other, vec![(!at).to_string()])],
        (Kind::Choice { names }, Value::Choice(at)) => {
            let others = names.iter().filter(|name| *name != at);
            others
                .map(|name| (Step::Other, vec![(*name).to_owned()]))
                .collect()
        }
        (Kind::Text, Value::Text(_)) | (Kind::Coefficient { .. }, Value::Coefficient(_)) => {
            Vec::new()
        }
        (kind, value) => unreachable!("{value:?} for a key of kind {kind:?}"),
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn value_number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(_) | Value::Float(_) => number(&value.to_string()),
        Value::Coefficient(_) | Value::Bool(_) | Value::Text(_) | Value::Choice(_) => None,
    }
}

impl Role {
    fn of(key: &str) -> Role {
        match key.split('.').next() {
            Some("workload") => Role::Problem,
            Some("mapping") => Role::Mapping,
            _ => Role::Machine,
        }
    }

    /// The role in a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Machine => "machine",
            Role::Mapping => "mapping",
            Role::Problem => "problem",
        }
    }
}

impl Step {
    /// The step as JSON names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Step::Up => "up",
            Step::Down => "down",
            Step::Double => "double",
            Step::Halve => "halve",
            Step::Other => "other",
        }
    }
}

impl Lever {
    /// What the feasible neighbour of this step changes.
    #[must_use]
    pub fn change(&self, step: Step) -> Option<Change> {
        let mut found = self.neighbours.iter().filter(|n| n.step == step);
        found.find_map(|n| n.outcome.as_ref().ok().copied())
    }

    /// The feasible neighbour with the shortest time.
    #[must_use]
    pub fn best_neighbour(&self) -> Option<(&Neighbour, Change)> {
        let feasible = self.neighbours.iter();
        let feasible = feasible.filter_map(|n| Some((n, *n.outcome.as_ref().ok()?)));
        feasible.min_by(|a, b| a.1.relative.total_cmp(&b.1.relative))
    }

    /// The key and the value at twice the point's; only where that exists.
    fn doubled(&self) -> (&str, &String) {
        let doubled = self.neighbours.iter().find(|n| n.step == Step::Double);
        (self.key, &doubled.expect("the value was doubled").value)
    }

    /// The relative change of time at the best neighbour; 0 where there is none.
    fn best(&self) -> f64 {
        self.best_neighbour().map_or(0.0, |(_, c)| c.relative)
    }

    /// Whether no feasible neighbour moves the time by more than [`NOTHING`].
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let feasible = || {
            self.neighbours
                .iter()
                .filter_map(|n| n.outcome.as_ref().ok())
        };
        feasible().count() > 0 && feasible().all(|c| c.relative.abs() < NOTHING)
    }

    /// `doubling memory.bandwidth_gb_per_s: -35.2 %`.
    #[must_use]
    pub fn words(&self, neighbour: &Neighbour, change: Change) -> String {
        let what = match neighbour.step {
            Step::Double => format!("doubling {}", self.key),
            Step::Halve => format!("halving {}", self.key),
            Step::Up | Step::Down | Step::Other => {
                format!(
                    "{} = {} instead of {}",
                    self.key, neighbour.value, self.value
                )
            }
        };
        format!("{what}: {:+.1} %", change.relative * 100.0)
    }
}

impl Explanation {
    /// The lower bound over the time, 1 at best.
    #[must_use]
    pub fn bound_share(&self) -> f64 {
        ratio(self.bound.cycles, self.point.summary.cycles)
    }

    /// The lower bound per prompt (us).
    #[must_use]
    pub fn bound_us_per_prompt(&self) -> f64 {
        self.point.time_us_per_prompt * self.bound_share()
    }

    /// Parameters that somebody decides about: all but the problem's.
    pub fn decisions(&self) -> impl Iterator<Item = &Lever> {
        self.levers.iter().filter(|l| l.role != Role::Problem)
    }

    /// Three sentences that can be quoted: where the time goes, how far from the bound, what to change.
    #[must_use]
    pub fn sentences(&self) -> [String; 3] {
        [self.whither(), self.distance(), self.advice()]
    }

    fn whither(&self) -> String {
        let path = &self.point.summary.critical_path;
        let part =
            |(name, share): &(String, f64)| format!("{}, {:.1} %", in_words(name), share * 100.0);
        let others: Vec<String> = path.iter().skip(1).take(2).map(part).collect();
        let then = if others.is_empty() {
            String::new()
        } else {
            format!(", followed by {}", others.join(", and "))
        };
        let first = path.first().map_or_else(|| "nothing".to_owned(), part);
        format!(
            "On {}, {} takes {:.1} us per prompt; the bottleneck is {first} of the critical path{then}.",
            self.names.0, self.names.1, self.point.time_us_per_prompt
        )
    }

    fn distance(&self) -> String {
        let units = &self.point.summary.utilization;
        let busiest = units.iter().max_by(|a, b| a.busiest.total_cmp(&b.busiest));
        let busiest = busiest.map_or_else(String::new, |u| {
            format!(
                "; the busiest unit is {} ({:.1} % of the time)",
                u.unit,
                u.busiest * 100.0
            )
        });
        let lanes = units.iter().find(|u| u.unit == UnitKind::Lanes.name());
        let lanes = lanes.map_or_else(String::new, |u| {
            format!(
                ", the lanes are busy for {:.1} % of it",
                u.utilization * 100.0
            )
        });
        format!(
            "That is {:.1} % above the lower bound of {:.1} us for the same program, which {} sets{busiest}{lanes}.",
            (self.bound_share().recip() - 1.0) * 100.0,
            self.bound_us_per_prompt(),
            in_words(self.bound.limiter)
        )
    }

    fn advice(&self) -> String {
        let gains: Vec<String> = self
            .decisions()
            .filter_map(|l| Some((l, l.best_neighbour()?)))
            .filter(|(_, (_, c))| c.relative < -NOTHING)
            .take(3)
            .map(|(l, (n, c))| l.words(n, c))
            .collect();
        let idle = self.decisions().filter(|l| l.is_idle()).count();
        let most = if gains.is_empty() {
            "No single parameter of machine or mapping buys anything".to_owned()
        } else {
            format!("Most is bought by {}", gains.join("; "))
        };
        let pair = self.pairs.first().map_or_else(String::new, |p| {
            let [a, b] = p.keys;
            format!(
                " (doubling {a} and {b} together: {:+.1} %)",
                p.relative * 100.0
            )
        });
        format!(
            "{most}{pair}; {idle} of {} parameters of machine and mapping change the time by less than {} % at every neighbour.",
            self.decisions().count(),
            NOTHING * 100.0
        )
    }
}

/// A part of a critical path, or what sets a bound, with its article.
fn in_words(name: &str) -> String {
    match name {
        "chain" => "the longest chain of dependent instructions".to_owned(),
        "issue" => "instruction issue".to_owned(),
        name if name.starts_with("latency of ") => format!("the {name}"),
        unit => format!("the {unit} unit"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "reporting")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
