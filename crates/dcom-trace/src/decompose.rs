//! A matrix through the machine's own program: mapped, verified and executed bit by bit.

use dcom_arch::Arch;
use dcom_config::ConfigError;
use dcom_exec::{Outcome, execute};
use dcom_isa::Verified;
use dcom_mapper::{WorkloadParams, map};
use dcom_tensor::{Factors, Matrix};

use crate::error::{EvaluateError, TraceError};

/// Columns of V beyond the rank when no number of iterations is given. Assumed: on recorded activations the error is
/// then within a few percent of the best one.
pub const MORE_ITERATIONS: usize = 5;

/// Largest rank and number of iterations: the range of `workload.rank` and `workload.iterations`.
pub const MAX_ITERATIONS: usize = 512;

/// Rank and iterations that a matrix allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Rank of the factors.
    pub rank: usize,
    /// Lanczos iterations, at least the rank.
    pub iterations: usize,
}

/// What the machine made of a matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Decomposition {
    /// The factors.
    pub factors: Factors,
    /// Columns of U; those that never left the machine are zero.
    pub u: Vec<Vec<f32>>,
    /// Singular values in double precision.
    pub singular_values: Vec<f64>,
    /// Columns of V, as those of U.
    pub v: Vec<Vec<f32>>,
    /// Everything else the run left behind.
    pub outcome: Outcome,
}

/// A machine and a mapping, to decompose matrices of any shape with.
#[derive(Clone, Debug)]
pub struct Decomposer<'a> {
    arch: &'a Arch,
    workload: WorkloadParams,
}

impl Sizes {
    /// The rank, and so many iterations or else [`MORE_ITERATIONS`] more than the rank, both at most the smaller side of the
    /// matrix: there are no more singular values.
    #[must_use]
    pub fn new(rank: usize, iterations: Option<usize>, smaller_side: usize) -> Sizes {
        let rank = rank.min(smaller_side);
        let most = smaller_side.min(MAX_ITERATIONS);
        Sizes {
            rank,
            iterations: iterations
                .map_or((rank + MORE_ITERATIONS).min(most), |k| k.min(smaller_side)),
        }
    }
}

impl<'a> Decomposer<'a> {
    /// Takes a machine and the mapping of a workload, whose sizes do not matter. Partitions shrink to what the machine has.
    ///
    /// # Errors
    /// The machine is smaller than any mapping.
    pub fn new(
        arch: &'a Arch,
        mut workload: WorkloadParams,
    ) -> Result<Decomposer<'a>, EvaluateError> {
        let clusters = arch.columns * arch.rows;
        if u64::from(workload.clusters_per_partition) > clusters {
            set(
                &mut workload,
                "mapping.clusters_per_partition",
                usize::try_from(clusters).expect("at most 2^20 clusters"),
            )?;
        }
        Ok(Decomposer { arch, workload })
    }

    /// The program for `prompts` matrices of one shape, in sequence.
    ///
    /// # Errors
    /// The machine cannot hold them.
    pub fn program(
        &self,
        (rows, columns): (usize, usize),
        sizes: Sizes,
        prompts: usize,
    ) -> Result<Verified<'a>, EvaluateError> {
        let mut workload = self.workload.clone();
        for (key, value) in [
            ("workload.rows", rows),
            ("workload.columns", columns),
            ("workload.prompts", prompts),
            ("workload.iterations", sizes.iterations),
            ("workload.rank", sizes.rank),
        ] {
            set(&mut workload, key, value)?;
        }
        Ok(map(self.arch, &workload)?.program.verify(self.arch)?)
    }

    /// Decomposes one matrix.
    ///
    /// # Errors
    /// The machine cannot hold it.
    pub fn decompose(&self, matrix: &Matrix, sizes: Sizes) -> Result<Decomposition, EvaluateError> {
        let program = self.program((matrix.rows(), matrix.cols()), sizes, 1)?;
        run(&program, matrix, sizes.rank)
    }
}

/// Executes a program for one prompt and takes its factors.
///
/// # Errors
/// The program is for another matrix, or its small SVD fails.
pub fn run(
    program: &Verified<'_>,
    matrix: &Matrix,
    rank: usize,
) -> Result<Decomposition, EvaluateError> {
    let outcome = execute(program, &[matrix], &[])?;
    let prompt = &outcome.prompts[0];
    let column = |columns: &[Vec<f32>], i: usize, length: usize| match columns.get(i) {
        Some(column) if !column.is_empty() => column.clone(),
        _ => vec![0.0; length],
    };
    let columns = |columns: &[Vec<f32>], length: usize| -> Vec<Vec<f32>> {
        (0..rank).map(|i| column(columns, i, length)).collect()
    };
    let (u, v) = (
        columns(&prompt.u, matrix.rows()),
        columns(&prompt.v, matrix.cols()),
    );
    let singular_values: Vec<f64> = (0..rank)
        .map(|i| prompt.s.get(i).copied().unwrap_or(0.0))
        .collect();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounded: factors are in fp32"
    )]
    let s: Vec<f32> = singular_values.iter().map(|s| *s as f32).collect();
    Ok(Decomposition {
        factors: Factors::from_columns(&u, s, &v)?,
        u,
        singular_values,
        v,
        outcome,
    })
}

impl Decomposition {
    /// Whether all factors are numbers.
    #[must_use]
    pub fn finite(&self) -> bool {
        let factors = &self.factors;
        let mut all = factors.u().iter().chain(factors.s()).chain(factors.v());
        all.all(|x| x.is_finite())
    }
}

fn set(workload: &mut WorkloadParams, key: &str, value: usize) -> Result<(), EvaluateError> {
    let wrong = |error: ConfigError| EvaluateError::Trace(TraceError::from(error));
    workload.set(key, &value.to_string()).map_err(wrong)
}
