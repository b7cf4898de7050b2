//! Inverse queries: the best point of a sweep space under constraints, and how sure that is.
//!
//! What is minimized is often known without simulation: a key, or the size of the machine. Then points are tried in the
//! order of the objective, and the first ones that satisfy the constraints are the best ones, whatever the others do. If in
//! addition every constraint is declared monotone along an axis, that axis is bisected; the declaration is checked at every
//! point evaluated, and a line that contradicts it is evaluated in full. Any other objective is evaluated everywhere, or
//! searched where the budget does not allow that. The answer says which of these happened.

mod bisect;
mod monotone;
mod query;
mod search;

use rayon::prelude::*;

use crate::point::{Base, Point, PointError, evaluate};
use crate::spec::SweepSpec;

pub use monotone::Direction;
pub use query::{Constraint, Quantity, Query, QueryError};

/// Points evaluated between two looks at what has been found. The number of points evaluated depends on it, the answer does not.
const BATCH: usize = 256;

/// The answer to a query.
#[derive(Debug)]
pub struct Found {
    /// The best point that satisfies the constraints.
    pub best: Option<Candidate>,
    /// The next best.
    pub runner_up: Option<Candidate>,
    /// If no point satisfies the constraints: the feasible one that misses least, and by which share.
    pub nearest: Option<(Candidate, f64)>,
    /// How sure the answer is.
    pub certainty: Certainty,
    /// Points of the space.
    pub points: usize,
    /// Points that were evaluated.
    pub evaluated: usize,
    /// Of these, the ones that cannot be built, and the reason of the first one.
    pub infeasible: (usize, Option<String>),
    /// What a reader must know: declarations that did not hold.
    pub notes: Vec<String>,
}

/// How sure an answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Every point was evaluated.
    Exhaustive,
    /// Every point with a smaller objective was evaluated.
    Ordered,
    /// Exact if the quantities are monotone along the axis, which held at every point evaluated.
    Bisected {
        /// Key of the axis.
        axis: String,
        /// Quantities that are declared monotone along it.
        quantities: Vec<String>,
    },
    /// A part of the points was evaluated; a better one may exist.
    Searched,
}

/// A point that was evaluated.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Position in the sweep.
    pub index: usize,
    /// Key and value of every axis key.
    pub settings: Vec<(String, String)>,
    /// The numbers.
    pub point: Point,
    /// What is minimized.
    pub objective: f64,
    /// By which share the constraint that is missed most is missed; 0 if all hold.
    pub miss: f64,
}

impl Candidate {
    /// Smaller objective, then less time, then the order of the sweep.
    fn rank(&self, other: &Candidate) -> std::cmp::Ordering {
        self.objective
            .total_cmp(&other.objective)
            .then(
                self.point
                    .time_us_per_prompt
                    .total_cmp(&other.point.time_us_per_prompt),
            )
            .then(self.index.cmp(&other.index))
    }
}

impl Certainty {
    /// Whether no better point can exist, given what is declared.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        *self != Certainty::Searched
    }
}

/// Answers a query; `tick` is called once per evaluated point, from any thread. At most about `budget` points are evaluated.
///
/// # Errors
/// The machine or workload file, a value that its key does not take, or a point that fails for another reason than not
/// fitting the machine.
pub fn find(
    spec: &SweepSpec,
    query: &Query,
    budget: usize,
    tick: impl Fn() + Sync,
) -> Result<Found, PointError> {
    let base = Base::read(&spec.arch, &spec.workload)?;
    let space = Space {
        spec,
        query,
        base,
        tick: &tick,
    };
    let mut seen = Seen::new(space.spec.points());
    let (certainty, notes) = match space.objectives()? {
        Some(objectives) => match monotone::axis(spec, query, &space.base) {
            Some(axis) => bisect::bisect(&space, &objectives, axis, budget, &mut seen)?,
            None => space.ordered(&objectives, budget, &mut seen)?,
        },
        None if spec.points() <= budget => {
            space.visit((0..spec.points()).collect(), &mut seen)?;
            (Certainty::Exhaustive, Vec::new())
        }
        None => search::search(&space, budget, &mut seen)?,
    };
    Ok(seen.found(certainty, notes))
}

/// A sweep and what is asked of it.
struct Space<'a> {
    spec: &'a SweepSpec,
    query: &'a Query,
    base: Base,
    tick: &'a (dyn Fn() + Sync),
}

/// What has been evaluated.
struct Seen {
    /// By position.
    visited: Vec<bool>,
    /// Positions of all candidates in order of position, with objective and miss: what a search goes by.
    candidates: Vec<Candidate>,
    nearest: Option<Candidate>,
    evaluated: usize,
    infeasible: (usize, Option<String>),
}

/// One evaluated point: a candidate, or why it cannot be built.
type Outcome = Result<Candidate, String>;

impl Space<'_> {
    fn at(&self, index: usize) -> Result<Base, PointError> {
        let mut at = self.base.clone();
        let settings = self.spec.settings(index);
        settings.iter().try_for_each(|(k, v)| at.set(k, v))?;
        Ok(at)
    }

    /// The objective of every point that is a machine, if it is known without simulation; infinite where there is no machine.
    fn objectives(&self) -> Result<Option<Vec<f64>>, PointError> {
        if !self.query.objective.is_static() {
            return Ok(None);
        }
        let value = |index| match self.query.objective.before(&self.at(index)?) {
            Ok(value) => Ok(value),
            Err(error) if error.is_infeasible() => Ok(f64::INFINITY),
            Err(error) => Err(error),
        };
        let values: Result<Vec<f64>, PointError> =
            (0..self.spec.points()).into_par_iter().map(value).collect();
        values.map(Some)
    }

    fn evaluate(&self, index: usize) -> Result<Outcome, PointError> {
        let at = self.at(index)?;
        let result = evaluate(&at);
        (self.tick)();
        match result {
            Ok(point) => {
                let objective = self.query.objective.after(&at, &point);
                let misses = self.query.constraints.iter().map(|c| c.miss(&at, &point));
                Ok(Ok(Candidate {
                    index,
                    settings: self
                        .spec
                        .settings(index)
                        .into_iter()
                        .map(|(k, v)| (k.to_owned(), v.to_owned()))
                        .collect(),
                    objective,
                    miss: misses.fold(0.0, f64::max),
                    point,
                }))
            }
            Err(error) if error.is_infeasible() => Ok(Err(error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// Evaluates points that have not been evaluated yet.
    fn visit(&self, mut indices: Vec<usize>, seen: &mut Seen) -> Result<(), PointError> {
        indices.retain(|i| !std::mem::replace(&mut seen.visited[*i], true));
        for batch in indices.chunks(BATCH) {
            let outcomes: Vec<Outcome> = batch
                .par_iter()
                .map(|i| self.evaluate(*i))
                .collect::<Result<_, _>>()?;
            outcomes.into_iter().for_each(|o| seen.add(o));
        }
        Ok(())
    }

    /// In the order of the objective until the best two are known.
    fn ordered(
        &self,
        objectives: &[f64],
        budget: usize,
        seen: &mut Seen,
    ) -> Result<(Certainty, Vec<String>), PointError> {
        let mut order: Vec<usize> = (0..objectives.len()).collect();
        order.sort_by(|a, b| objectives[*a].total_cmp(&objectives[*b]).then(a.cmp(b)));
        for batch in order.chunks(BATCH) {
            // Whoever comes later is not better than the second best.
            let second = seen
                .candidates
                .get(1)
                .map_or(f64::INFINITY, |c| c.objective);
            if seen.candidates.len() > 1 && objectives[batch[0]] > second {
                return Ok((Certainty::Ordered, Vec::new()));
            }
            if seen.evaluated >= budget {
                return Ok((Certainty::Searched, Vec::new()));
            }
            self.visit(batch.to_vec(), seen)?;
        }
        Ok((Certainty::Exhaustive, Vec::new()))
    }
}

impl Seen {
    fn new(points: usize) -> Seen {
        Seen {
            visited: vec![false; points],
            candidates: Vec::new(),
            nearest: None,
            evaluated: 0,
            infeasible: (0, None),
        }
    }

    /// Keeps the best two that satisfy the constraints, and the nearest that does not.
    fn add(&mut self, outcome: Outcome) {
        self.evaluated += 1;
        match outcome {
            Ok(candidate) if candidate.miss == 0.0 => {
                self.candidates.push(candidate);
                self.candidates.sort_by(Candidate::rank);
                self.candidates.truncate(2);
            }
            Ok(candidate) => {
                let nearer = |old: &Candidate| {
                    candidate
                        .miss
                        .total_cmp(&old.miss)
                        .then(candidate.index.cmp(&old.index))
                        .is_lt()
                };
                if self.nearest.as_ref().is_none_or(nearer) {
                    self.nearest = Some(candidate);
                }
            }
            Err(reason) => {
                self.infeasible.0 += 1;
                self.infeasible.1.get_or_insert(reason);
            }
        }
    }

    fn found(self, certainty: Certainty, notes: Vec<String>) -> Found {
        let mut candidates = self.candidates.into_iter();
        let (best, runner_up) = (candidates.next(), candidates.next());
        let nearest = self.nearest.filter(|_| best.is_none()).map(|c| {
            let miss = c.miss;
            (c, miss)
        });
        Found {
            best,
            runner_up,
            nearest,
            certainty,
            points: self.visited.len(),
            evaluated: self.evaluated,
            infeasible: self.infeasible,
            notes,
        }
    }
}
