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

use crate::outcome::Numbers;
use crate::point::{Base, Point, PointError, evaluate};
use crate::space::Space;

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
    /// Hashes of machine, workload and technology.
    pub hashes: [String; 3],
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
/// A point that fails for another reason than not fitting the machine.
pub fn find(
    space: &Space,
    query: &Query,
    budget: usize,
    tick: impl Fn() + Sync,
) -> Result<Found, PointError> {
    let spec = space.spec();
    let asked = Asked {
        space,
        query,
        tick: &tick,
    };
    let mut seen = Seen::new(&asked);
    // The sweep's own conditions are declared monotone along no axis.
    let conditions = !spec.filters.is_empty() || !spec.constraints.is_empty();
    let axis = (!conditions)
        .then(|| monotone::axis(spec, query, asked.space.base()))
        .flatten();
    let (certainty, notes) = match (asked.objectives()?, axis) {
        (Some(objectives), Some(axis)) => {
            bisect::bisect(&asked, &objectives, axis, budget, &mut seen)?
        }
        (Some(objectives), None) => asked.ordered(&objectives, budget, &mut seen)?,
        (None, _) if seen.points <= budget => {
            asked.visit((0..asked.points()).collect(), &mut seen)?;
            (Certainty::Exhaustive, Vec::new())
        }
        (None, _) => search::search(&asked, budget, &mut seen)?,
    };
    Ok(seen.found(certainty, notes))
}

/// A sweep and what is asked of it.
struct Asked<'a> {
    space: &'a Space,
    query: &'a Query,
    tick: &'a (dyn Fn() + Sync),
}

/// What has been evaluated.
struct Seen {
    /// Points of the sweep.
    points: usize,
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

impl Asked<'_> {
    /// Points of the grid, those that `where` leaves out included.
    fn points(&self) -> usize {
        usize::try_from(self.space.spec().points()).expect("fewer than MAX_POINTS")
    }

    fn at(&self, index: usize) -> Result<Base, PointError> {
        self.space.at(index as u64)
    }

    /// The objective of every point that is a machine, if it is known without simulation; infinite where there is no machine.
    fn objectives(&self) -> Result<Option<Vec<f64>>, PointError> {
        if !self.query.objective.is_static() {
            return Ok(None);
        }
        let value = |index| match self.query.objective.before(&self.at(index)?) {
            Ok(_) if !self.space.contains(index as u64) => Ok(f64::INFINITY),
            Ok(value) => Ok(value),
            Err(error) if error.is_infeasible() => Ok(f64::INFINITY),
            Err(error) => Err(error),
        };
        let values: Result<Vec<f64>, PointError> =
            (0..self.points()).into_par_iter().map(value).collect();
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
                // By how much a condition of the sweep file is missed has no number.
                let numbers = Numbers::of(&point);
                let own = match self.space.broken(index as u64, &numbers) {
                    Some(_) => f64::INFINITY,
                    None => 0.0,
                };
                let columns = self.space.columns().map(|c| c.name.clone());
                let values = self.space.settings(index as u64).map(str::to_owned);
                Ok(Ok(Candidate {
                    index,
                    settings: columns.zip(values).collect(),
                    objective,
                    miss: misses.fold(own, f64::max),
                    point,
                    hashes: self.space.identity(index as u64).hashes,
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
    fn new(asked: &Asked<'_>) -> Seen {
        // What `where` leaves out is never looked at.
        let visited: Vec<bool> = (0..asked.points())
            .map(|i| !asked.space.contains(i as u64))
            .collect();
        Seen {
            points: visited.iter().filter(|v| !**v).count(),
            visited,
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
            points: self.points,
            evaluated: self.evaluated,
            infeasible: self.infeasible,
            notes,
        }
    }
}
