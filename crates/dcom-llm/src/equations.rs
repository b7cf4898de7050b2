//! Equations 8 to 12 of the paper (section 4.1), and the order in which a chain of products is cheapest (equations 4, 5).
//!
//! S tokens, D input channels, W output channels; `r1 x r2` is the core of the activation's factors, `p1 x p2` that of the
//! weight's. Ratios are above 1 where the decomposed form is smaller.

use crate::real;

/// Equation 8: operations of `X W` over those of `V* = V W`. The batch cancels.
///
/// Bringing `U S V*` back to the original shape is not in it.
#[must_use]
pub fn compute_reduction_input(tokens: u64, r2: u64) -> f64 {
    real(tokens) / real(r2)
}

/// Equation 9: operations of `X W` over those of `S* = S_I V_I U_W S_W`.
#[must_use]
pub fn compute_reduction_both(
    [tokens, inputs, outputs]: [u64; 3],
    [r1, r2]: [u64; 2],
    [p1, p2]: [u64; 2],
) -> f64 {
    real(tokens * inputs * outputs) / real(r2 * inputs * p1 + r2 * p1 * p2 + r1 * r2 * p2)
}

/// Equation 10: elements of an activation over those of its factors. The paper writes p for the ranks.
#[must_use]
pub fn compression_activation([tokens, channels]: [u64; 2], [r1, r2]: [u64; 2]) -> f64 {
    real(tokens * channels) / real(tokens * r1 + r1 * r2 + r2 * channels)
}

/// Equation 11: the rank below which the factors of a weight are smaller than the weight.
#[must_use]
pub fn weight_rank_bound(inputs: u64, outputs: u64) -> f64 {
    let (sum, product) = (real(inputs + outputs), real(inputs * outputs));
    ((sum * sum + 4.0 * product).sqrt() - sum) / 2.0
}

/// Equation 12: elements of a weight over those of its factors.
#[must_use]
pub fn compression_weight([inputs, outputs]: [u64; 2], [p1, p2]: [u64; 2]) -> f64 {
    real(inputs * outputs) / real(inputs * p1 + p1 * p2 + p2 * outputs)
}

/// The cheapest order of a chain of products: operations (multiply-adds), and the products in order of execution as ranges of
/// matrices `first..=last` that are one matrix afterwards.
///
/// Matrix `i` is `sizes[i] x sizes[i + 1]`. By dynamic programming over sub-chains; of equally cheap orders the one that splits
/// furthest left.
///
/// # Panics
/// For fewer than two sizes.
#[must_use]
pub fn cheapest_order(sizes: &[u64]) -> (u64, Vec<(usize, usize)>) {
    let matrices = sizes.len() - 1;
    let mut cost = vec![vec![0u64; matrices]; matrices];
    let mut split = vec![vec![0usize; matrices]; matrices];
    for length in 2..=matrices {
        for first in 0..=matrices - length {
            let last = first + length - 1;
            let at = |middle: usize| {
                cost[first][middle]
                    + cost[middle + 1][last]
                    + sizes[first] * sizes[middle + 1] * sizes[last + 1]
            };
            let best = (first..last).min_by_key(|middle| at(*middle));
            let best = best.expect("two matrices or more");
            (cost[first][last], split[first][last]) = (at(best), best);
        }
    }
    let mut order = Vec::new();
    visit(&split, 0, matrices - 1, &mut order);
    (cost[0][matrices - 1], order)
}

fn visit(split: &[Vec<usize>], first: usize, last: usize, order: &mut Vec<(usize, usize)>) {
    if first < last {
        visit(split, first, split[first][last], order);
        visit(split, split[first][last] + 1, last, order);
        order.push((first, last));
    }
}
