//! Bisection along one axis: on every line the first position that satisfies the constraints, and the next one.
//!
//! A line is all points that differ on that axis alone. What is declared monotone is checked between every two points
//! evaluated on the line; a line with a point that cannot be built is evaluated in full. Once a line goes against the
//! declaration, no line counts as bisected: what is left is evaluated in the order of the objective.

use rayon::prelude::*;

use super::monotone::Monotone;
use super::{Asked, Candidate, Certainty, Outcome, Seen};
use crate::point::PointError;

/// Lines bisected between two looks at what has been found.
const LINES: usize = 32;

/// Bisects every line.
pub(super) fn bisect(
    asked: &Asked<'_>,
    objectives: &[f64],
    axis: Monotone,
    budget: usize,
    seen: &mut Seen,
) -> Result<(Certainty, Vec<String>), PointError> {
    let after: usize = asked.space.spec().axes[axis.axis + 1..]
        .iter()
        .map(|a| a.values.len())
        .product();
    let mut starts: Vec<usize> = (0..asked.points())
        .filter(|index| (index / after).is_multiple_of(axis.length))
        .collect();
    // Lines with the smallest objectives first: the others need not be looked at.
    starts.sort_by(|a, b| objectives[*a].total_cmp(&objectives[*b]).then(a.cmp(b)));
    let (mut notes, mut whole, mut refuted) = (Vec::new(), 0, false);
    for starts in starts.chunks(LINES) {
        let second = seen
            .candidates
            .get(1)
            .map_or(f64::INFINITY, |c| c.objective);
        if objectives[starts[0]] > second {
            break;
        }
        if seen.evaluated >= budget {
            return Ok((Certainty::Searched, notes));
        }
        let lines: Vec<(Line<'_>, Option<Contradiction>)> = starts
            .par_iter()
            .map(|start| {
                let mut line = Line {
                    asked,
                    start: *start,
                    stride: after,
                    outcomes: (0..axis.length).map(|_| None).collect(),
                };
                line.bisect()?;
                let contradiction = line.contradiction(&axis.key)?;
                if contradiction.is_some() {
                    (0..axis.length).try_for_each(|p| line.at(p).map(|_| ()))?;
                }
                Ok((line, contradiction))
            })
            .collect::<Result<_, PointError>>()?;
        for (line, contradiction) in lines {
            whole += usize::from(contradiction.is_some());
            refuted |= matches!(contradiction, Some(Contradiction::Order(_)));
            notes.extend(
                contradiction
                    .map(Contradiction::text)
                    .filter(|_| notes.is_empty()),
            );
            for (position, outcome) in line.outcomes.into_iter().enumerate() {
                if let Some(outcome) = outcome {
                    seen.visited[line.start + position * after] = true;
                    seen.add(outcome);
                }
            }
        }
    }
    if refuted {
        let (certainty, rest) = asked.ordered(objectives, budget, seen)?;
        notes.extend(rest);
        return Ok((certainty, notes));
    }
    if whole > 0 {
        notes.push(format!(
            "{whole} lines along {} were evaluated in full",
            axis.key
        ));
    }
    let quantities = asked
        .query
        .constraints
        .iter()
        .map(|c| c.quantity.name().to_owned());
    Ok((
        Certainty::Bisected {
            quantities: quantities.collect(),
            axis: axis.key,
        },
        notes,
    ))
}

/// Why a line is evaluated in full.
enum Contradiction {
    /// A point cannot be built.
    NotBuilt(String),
    /// A quantity goes against its declared direction.
    Order(String),
}

impl Contradiction {
    fn text(self) -> String {
        match self {
            Contradiction::NotBuilt(text) | Contradiction::Order(text) => text,
        }
    }
}

struct Line<'a> {
    asked: &'a Asked<'a>,
    start: usize,
    stride: usize,
    outcomes: Vec<Option<Outcome>>,
}

impl Line<'_> {
    fn at(&mut self, position: usize) -> Result<&Outcome, PointError> {
        let index = self.start + position * self.stride;
        let outcome = &mut self.outcomes[position];
        if outcome.is_none() {
            *outcome = Some(self.asked.evaluate(index)?);
        }
        Ok(outcome.as_ref().expect("just evaluated"))
    }

    fn holds(&mut self, position: usize) -> Result<bool, PointError> {
        Ok(self.at(position)?.as_ref().is_ok_and(|c| c.miss == 0.0))
    }

    /// Finds the first position that satisfies the constraints and evaluates its neighbours on either side.
    fn bisect(&mut self) -> Result<(), PointError> {
        let last = self.outcomes.len() - 1;
        self.at(0)?;
        if !self.holds(last)? {
            return Ok(());
        }
        // The constraints hold at `high`; below `low` they do not.
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.holds(middle)? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        if high < last {
            self.at(high + 1)?;
        }
        if high > 1 {
            self.at(high - 2)?;
        }
        Ok(())
    }

    /// What contradicts the declaration: two points out of order, or one that cannot be built.
    fn contradiction(&self, key: &str) -> Result<Option<Contradiction>, PointError> {
        let evaluated: Vec<&Outcome> = self.outcomes.iter().flatten().collect();
        if let Some(Err(reason)) = evaluated.iter().find(|o| o.is_err()) {
            return Ok(Some(Contradiction::NotBuilt(format!(
                "along {key} there is a point that cannot be built ({reason})"
            ))));
        }
        let candidates: Vec<&Candidate> =
            evaluated.iter().filter_map(|o| o.as_ref().ok()).collect();
        for constraint in &self.asked.query.constraints {
            let quantity = constraint.quantity;
            let Some(direction) = quantity.direction(key) else {
                return Ok(Some(Contradiction::Order(format!(
                    "{} is not declared monotone along {key}",
                    quantity.name()
                ))));
            };
            for pair in candidates.windows(2) {
                let value = |c: &Candidate| {
                    let at = self.asked.at(c.index)?;
                    Ok::<f64, PointError>(quantity.after(&at, &c.point))
                };
                let (first, second) = (value(pair[0])?, value(pair[1])?);
                if !direction.agrees(first, second) {
                    return Ok(Some(Contradiction::Order(format!(
                        "{} is {first} and then {second} along {key}, against its declared direction",
                        quantity.name()
                    ))));
                }
            }
        }
        Ok(None)
    }
}
