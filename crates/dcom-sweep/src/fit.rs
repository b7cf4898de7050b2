//! The one constant that is fitted to Table 2: the time per prompt that does not depend on the rank.

use crate::point::{Base, PointError, evaluate};

/// D-com's time per prompt at S = 468 (us), derived from Table 2's decomposition times per layer
/// (0.45, 0.80, 1.33 s over 149 batches of 64 prompts), for rank 1, 10 and 20.
pub const TABLE2: [(u32, f64); 3] = [(1, 47.2), (10, 83.9), (20, 138.9)];

/// Tokens per prompt that Table 2 is taken to have (assumed: the shape in Fig. 2).
pub const TABLE2_TOKENS: u32 = 468;

/// A fitted constant and what it leaves.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The constant, `svd.round_trip_cycles`.
    pub cycles: u32,
    /// Rank, paper's time and simulated time per prompt (us), and relative error.
    pub rows: Vec<(u32, f64, f64, f64)>,
}

impl Fit {
    /// The largest relative error.
    #[must_use]
    pub fn worst(&self) -> f64 {
        self.rows.iter().map(|r| r.3.abs()).fold(0.0, f64::max)
    }
}

/// Time per prompt at S = 468 for K = r = `rank` with the machine's constant set to `cycles` (us).
fn time(base: &Base, rank: u32, cycles: u32) -> Result<f64, PointError> {
    let mut at = base.clone();
    at.set("svd.round_trip_cycles", &cycles.to_string())?;
    at.set("workload.rows", &TABLE2_TOKENS.to_string())?;
    at.set("workload.iterations", &rank.to_string())?;
    at.set("workload.rank", &rank.to_string())?;
    Ok(evaluate(&at)?.time_us_per_prompt)
}

/// Fits the constant by least squares of the relative errors; time is linear in it as long as prompts
/// do not overlap, which the residual rows, simulated again with the constant, would show.
///
/// # Errors
/// A point that does not evaluate.
pub fn fit(base: &Base) -> Result<Fit, PointError> {
    let (mut numerator, mut denominator) = (0.0, 0.0);
    for (rank, paper) in TABLE2 {
        let without = time(base, rank, 0)?;
        numerator += (paper - without) / paper.powi(2);
        denominator += paper.powi(-2);
    }
    let microseconds = (numerator / denominator).max(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive number of cycles"
    )]
    let cycles = (microseconds * f64::from(base.arch.clock_mhz)).round() as u32;
    residuals(base, cycles)
}

/// What a constant leaves of Table 2.
///
/// # Errors
/// A point that does not evaluate.
pub fn residuals(base: &Base, cycles: u32) -> Result<Fit, PointError> {
    let rows = TABLE2
        .into_iter()
        .map(|(rank, paper)| time(base, rank, cycles).map(|t| (rank, paper, t, t / paper - 1.0)))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Fit { cycles, rows })
}
