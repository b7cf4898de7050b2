//! Where the budget does not allow to evaluate everything: points spread at random over the space, then one axis at a time from
//! the best of them until no axis improves it or the budget is spent.

use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use rand::seq::index::sample;

use super::{Asked, Certainty, Seen};
use crate::point::PointError;

/// The seed of the spread points: the same question has the same answer.
const SEED: u64 = 1;

pub(super) fn search(
    asked: &Asked<'_>,
    budget: usize,
    seen: &mut Seen,
) -> Result<(Certainty, Vec<String>), PointError> {
    let points = asked.points();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let spread = sample(&mut random, points, (budget / 2).clamp(1, points));
    asked.visit(spread.into_iter().collect(), seen)?;
    let mut settled = None;
    loop {
        // From the best that satisfies the constraints, else from the one that misses them least.
        let from = seen
            .candidates
            .first()
            .or(seen.nearest.as_ref())
            .map(|c| c.index);
        let Some(from) = from.filter(|f| settled != Some(*f)) else {
            break;
        };
        let mut stride = points;
        for axis in &asked.space.spec().axes {
            let length = axis.values.len();
            stride /= length;
            let zero = from - from / stride % length * stride;
            let line: Vec<usize> = (0..length).map(|p| zero + p * stride).collect();
            if seen.evaluated + line.len() > budget {
                return Ok((
                    Certainty::Searched,
                    vec!["the budget was spent before the search settled".to_owned()],
                ));
            }
            asked.visit(line, seen)?;
        }
        settled = Some(from);
    }
    Ok((Certainty::Searched, Vec::new()))
}
