//! Error, time and energy of candidates.

use dcom_arch::Arch;
use dcom_config::ConfigError;
use dcom_isa::{Axis, Op, Verified, VerifyError};
use dcom_llm::{Gpu, Problem, eager, fused};
use dcom_mapper::{MapError, WorkloadParams, host_vectors, map};
use dcom_power::{Interval, PowerModel, Technology};
use dcom_reference::{ReferenceError, best_rank_errors, reconstruction};
use dcom_tensor::Matrix;
use dcom_timing::{Options, TimingError, simulate};
use dcom_trace::EvaluateError;
use rayon::prelude::*;
use thiserror::Error;

use crate::candidate::Candidate;

/// What candidates run on.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The machine.
    pub arch: &'a Arch,
    /// The mapping; sizes are those of the matrix.
    pub workload: &'a WorkloadParams,
    /// For energy.
    pub technology: &'a Technology,
    /// For the other times.
    pub gpu: &'a Gpu,
    /// Rank of the factors.
    pub rank: u32,
    /// Prompts of a batch; times are per prompt.
    pub prompts: u32,
}

/// What a candidate costs; times and energies are per prompt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Passes over A.
    pub reads: f64,
    /// Cycles of the batch.
    pub cycles: u64,
    /// On D-com (us).
    pub us: f64,
    /// On D-com without the round trip of the small SVD, which is a fitted constant (us).
    pub array_us: f64,
    /// Energy of the chip (uJ).
    pub chip_uj: Interval,
    /// Energy of memory and link (uJ).
    pub transfer_uj: f64,
    /// On the GPU as PyTorch runs it (us).
    pub gpu_eager_us: f64,
    /// On the GPU with fused kernels (us).
    pub gpu_fused_us: f64,
}

/// A candidate's error and cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The candidate.
    pub candidate: Candidate,
    /// Relative error in the Frobenius norm; none if factors are not finite.
    pub error: Option<f64>,
    /// Results that overflowed.
    pub overflows: u64,
    /// Its cost.
    pub cost: Cost,
}

/// All candidates on one matrix.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Rows of the matrix.
    pub rows: usize,
    /// Its columns.
    pub columns: usize,
    /// Rank of the factors.
    pub rank: u32,
    /// The error of the best factors of the rank.
    pub best_error: f64,
    /// Area of the machine (mm2), the same for all.
    pub area_mm2: Interval,
    /// In the order of the candidates.
    pub outcomes: Vec<Outcome>,
    /// Candidates that the machine cannot hold, and why.
    pub infeasible: Vec<(Candidate, String)>,
}

/// Why there is no comparison.
#[derive(Debug, Error)]
pub enum CompareError {
    /// A parameter.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The machine cannot hold it.
    #[error("{key}: {message}", key = .0.key, message = .0.message)]
    Map(#[from] MapError),
    /// The mapper wrote a program that the machine does not run.
    #[error("the mapped program does not verify: {0}")]
    Verify(#[from] VerifyError),
    /// The run cannot be counted.
    #[error(transparent)]
    Timing(#[from] TimingError),
    /// The executor.
    #[error(transparent)]
    Execute(#[from] EvaluateError),
    /// The best error.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
}

impl From<ConfigError> for CompareError {
    fn from(error: ConfigError) -> CompareError {
        CompareError::Config(Box::new(error))
    }
}

/// A workload of some sizes.
fn sized(
    workload: &WorkloadParams,
    (rows, columns): (usize, usize),
    rank: u32,
    prompts: u32,
) -> Result<WorkloadParams, ConfigError> {
    let mut workload = workload.clone();
    for (key, value) in [
        ("workload.rows", rows),
        ("workload.columns", columns),
        ("workload.rank", rank as usize),
        ("workload.prompts", prompts as usize),
    ] {
        workload.set(key, &value.to_string())?;
    }
    Ok(workload)
}

/// Compares candidates on a matrix; `done` is called after each.
///
/// # Errors
/// Anything but a machine that is too small for a candidate.
pub fn compare(
    subject: &Subject<'_>,
    matrix: &Matrix,
    candidates: &[Candidate],
    done: impl Fn() + Sync,
) -> Result<Comparison, CompareError> {
    let shape = (matrix.rows(), matrix.cols());
    let (best, results) = rayon::join(
        || best_rank_errors(matrix, &[subject.rank as usize]),
        || {
            let outcome = |candidate: &Candidate| {
                let result = outcome(subject, matrix, candidate);
                done();
                (*candidate, result)
            };
            candidates.par_iter().map(outcome).collect::<Vec<_>>()
        },
    );
    let (mut outcomes, mut infeasible) = (Vec::new(), Vec::new());
    for (candidate, result) in results {
        match result {
            Ok(outcome) => outcomes.push(outcome),
            Err(CompareError::Map(error)) => {
                infeasible.push((candidate, format!("{}: {}", error.key, error.message)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Comparison {
        rows: shape.0,
        columns: shape.1,
        rank: subject.rank,
        best_error: best?.errors[0].relative_frobenius,
        area_mm2: PowerModel::new(subject.arch, subject.technology).total_area_um2() * (1e-6),
        outcomes,
        infeasible,
    })
}

fn outcome(
    subject: &Subject<'_>,
    matrix: &Matrix,
    candidate: &Candidate,
) -> Result<Outcome, CompareError> {
    let (error, overflows) = error_of(subject, matrix, candidate)?;
    let cost = cost(subject, (matrix.rows(), matrix.cols()), candidate)?;
    Ok(Outcome {
        candidate: *candidate,
        error,
        overflows,
        cost,
    })
}

/// Error of a candidate's factors, and how many results overflowed.
///
/// # Errors
/// See [`CompareError`].
pub fn error_of(
    subject: &Subject<'_>,
    matrix: &Matrix,
    candidate: &Candidate,
) -> Result<(Option<f64>, u64), CompareError> {
    let shape = (matrix.rows(), matrix.cols());
    let workload = candidate.applied(&sized(subject.workload, shape, subject.rank, 1)?)?;
    let program = map(subject.arch, &workload)?.program;
    let signs = host_vectors(&program, workload.sketch_seed);
    let program = program.verify(subject.arch)?;
    let decomposition = dcom_trace::run(&program, &signs, matrix, subject.rank as usize)?;
    let error = if decomposition.finite() {
        Some(reconstruction(matrix, &decomposition.factors)?.relative_frobenius)
    } else {
        None
    };
    Ok((error, decomposition.outcome.overflow_count))
}

/// What a candidate costs on matrices of `rows x columns`, nothing breaking down.
///
/// # Errors
/// See [`CompareError`].
pub fn cost(
    subject: &Subject<'_>,
    shape: (usize, usize),
    candidate: &Candidate,
) -> Result<Cost, CompareError> {
    let prompts = subject.prompts;
    let workload = candidate.applied(&sized(subject.workload, shape, subject.rank, prompts)?)?;
    let program = map(subject.arch, &workload)?.program.verify(subject.arch)?;
    let summary = simulate(&program, Options::default())?.summary(&program);
    // Prompts in flight hide some of the round trip, so it cannot just be taken off.
    let mut without = subject.arch.clone();
    without.svd.round_trip_cycles = 0;
    let bare = program.program().clone().verify(&without)?;
    let bare_us = simulate(&bare, Options::default())?.summary(&bare).time_us;
    let energy =
        PowerModel::new(subject.arch, subject.technology).energy(&summary.activity, summary.cycles);
    let problem = Problem {
        prompts: prompts.into(),
        rows: shape.0 as u64,
        columns: shape.1 as u64,
        iterations: candidate.iterations.into(),
        element_bytes: 2,
        gram_schmidt_passes: candidate.gram_schmidt_passes.into(),
    };
    let per_prompt = 1.0 / f64::from(prompts);
    let us = summary.time_us * per_prompt;
    Ok(Cost {
        reads: reads(&program),
        cycles: summary.cycles,
        us,
        array_us: bare_us * per_prompt,
        chip_uj: energy.chip_j * (1e6 * per_prompt),
        transfer_uj: (energy.memory_j.nominal + energy.link_j.nominal) * 1e6 * per_prompt,
        gpu_eager_us: eager(subject.gpu, &problem, candidate.on_gpu()).us() * per_prompt,
        gpu_fused_us: fused(subject.gpu, &problem, candidate.on_gpu()).us() * per_prompt,
    })
}

/// Passes over the matrix for one prompt: what the products read of it, by the matrices of the program.
fn reads(program: &Verified<'_>) -> f64 {
    let matrices = &program.program().matrices;
    let mut elements = 0;
    for instr in &program.program().instrs {
        let (Op::MvN {
            matrix,
            axis,
            first_tile,
            end_tile,
            ..
        }
        | Op::MvT {
            matrix,
            axis,
            first_tile,
            end_tile,
            ..
        }
        | Op::LdT {
            matrix,
            axis,
            first_tile,
            end_tile,
            ..
        }) = instr.op
        else {
            continue;
        };
        // Others are the same for other prompts.
        if matrix.index() > 0 {
            continue;
        }
        let m = matrices[matrix.index()];
        let (cut, along) = match axis {
            Axis::Rows => (m.rows, m.columns),
            Axis::Columns => (m.columns, m.rows),
        };
        let strip = program.strip(axis, along, first_tile, end_tile);
        elements += u64::from(cut) * u64::from(strip.end - strip.start);
    }
    let svds = program
        .program()
        .instrs
        .iter()
        .filter(|i| match i.op {
            Op::Svd { matrix, .. } | Op::TSvd { matrix, .. } => matrix.index() == 0,
            _ => false,
        })
        .count();
    let size = u64::from(matrices[0].rows) * u64::from(matrices[0].columns);
    elements as f64 / size as f64 / svds.max(1) as f64
}
