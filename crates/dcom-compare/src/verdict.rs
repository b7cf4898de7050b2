//! Which algorithm wins where: for every shape, rank and machine the fastest one whose error is close enough to the best.

use dcom_arch::{Arch, ArchParams};
use dcom_llm::Gpu;
use dcom_mapper::WorkloadParams;
use dcom_power::Technology;
use dcom_reference::best_rank_errors;
use dcom_tensor::Matrix;

use crate::candidate::{Candidate, candidates};
use crate::evaluate::{CompareError, Cost, Subject, cost, error_of};

/// A matrix to decompose, and what it stands for.
pub struct Shape {
    /// Name for the report.
    pub name: String,
    /// The matrix.
    pub matrix: Matrix,
}

/// A machine: keys that differ from the base.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Name for the report.
    pub name: &'static str,
    /// Keys of the machine, with values.
    pub arch: &'static [(&'static str, &'static str)],
    /// Keys of the mapping, with values.
    pub workload: &'static [(&'static str, &'static str)],
}

/// What is held fixed.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// The machine.
    pub arch: &'a ArchParams,
    /// The mapping.
    pub workload: &'a WorkloadParams,
    /// For energy.
    pub technology: &'a Technology,
    /// The GPU.
    pub gpu: &'a Gpu,
    /// Prompts of a batch.
    pub prompts: u32,
    /// How far above the best error a candidate may be, relative.
    pub slack: f64,
}

/// The winner at one place.
#[derive(Clone, Copy, Debug)]
pub struct Winner {
    /// The candidate.
    pub candidate: Candidate,
    /// Its error.
    pub error: f64,
    /// Its cost.
    pub cost: Cost,
}

/// One shape, rank and machine.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The shape's name, rows and columns.
    pub shape: (String, usize, usize),
    /// Rank.
    pub rank: u32,
    /// The machine's name.
    pub machine: &'static str,
    /// Error of the best factors.
    pub best_error: f64,
    /// The fastest candidate that is close enough; none if none is.
    pub fastest: Option<Winner>,
    /// The fastest Golub-Kahan that is close enough, to compare with.
    pub golub_kahan: Option<Winner>,
    /// The one with the least energy of chip, memory and link.
    pub frugal: Option<Winner>,
    /// The fastest on the GPU with fused kernels.
    pub gpu_fused: Option<Winner>,
    /// The fastest on the GPU as PyTorch runs it.
    pub gpu_eager: Option<Winner>,
}

/// Errors are those of the base machine's arithmetic: what the machines here change moves data, and at most the order in which
/// strips are summed. `done` is called after each shape and rank.
///
/// # Errors
/// See [`CompareError`].
pub fn verdicts(
    base: &Base<'_>,
    shapes: &[Shape],
    ranks: &[u32],
    machines: &[Machine],
    done: impl Fn(),
) -> Result<Vec<Verdict>, CompareError> {
    let arch = Arch::new(base.arch)?;
    let mut verdicts = Vec::new();
    for shape in shapes {
        let size = (shape.matrix.rows(), shape.matrix.cols());
        let smaller = u32::try_from(size.0.min(size.1)).unwrap_or(u32::MAX);
        let wanted: Vec<usize> = ranks.iter().map(|&rank| rank as usize).collect();
        let best = best_rank_errors(&shape.matrix, &wanted)?;
        for (&rank, best) in ranks.iter().zip(&best.errors) {
            let subject = base.subject(&arch, base.workload, rank);
            let close = close_enough(
                &subject,
                &shape.matrix,
                &candidates(rank, smaller),
                best.relative_frobenius * (1.0 + base.slack),
            )?;
            // On the GPU everything fits.
            let on_gpu = base.costs(&BASE, size, rank, &close)?;
            for machine in machines {
                let costs = base.costs(machine, size, rank, &close)?;
                let golub_kahan = costs
                    .iter()
                    .filter(|w| w.candidate.name() == "golub_kahan")
                    .min_by(|a, b| a.cost.us.total_cmp(&b.cost.us));
                verdicts.push(Verdict {
                    shape: (shape.name.clone(), size.0, size.1),
                    rank,
                    machine: machine.name,
                    best_error: best.relative_frobenius,
                    fastest: least(&costs, |c| c.us),
                    golub_kahan: golub_kahan.copied(),
                    frugal: least(&costs, |c| c.chip_uj.nominal + c.transfer_uj),
                    gpu_fused: least(&on_gpu, |c| c.gpu_fused_us),
                    gpu_eager: least(&on_gpu, |c| c.gpu_eager_us),
                });
            }
            done();
        }
    }
    Ok(verdicts)
}

/// The machine as it is.
const BASE: Machine = Machine {
    name: "",
    arch: &[],
    workload: &[],
};

/// The one with the least of a cost.
fn least(costs: &[Winner], value: fn(&Cost) -> f64) -> Option<Winner> {
    let by = |a: &&Winner, b: &&Winner| value(&a.cost).total_cmp(&value(&b.cost));
    costs.iter().min_by(by).copied()
}

/// Candidates whose error is at most `most`, with it.
fn close_enough(
    subject: &Subject<'_>,
    matrix: &Matrix,
    candidates: &[Candidate],
    most: f64,
) -> Result<Vec<(Candidate, f64)>, CompareError> {
    let mut close = Vec::new();
    for candidate in candidates {
        match error_of(subject, matrix, candidate) {
            Ok((Some(error), _)) if error <= most => close.push((*candidate, error)),
            Ok(_) | Err(CompareError::Map(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(close)
}

impl Base<'_> {
    fn subject<'a>(
        &'a self,
        arch: &'a Arch,
        workload: &'a WorkloadParams,
        rank: u32,
    ) -> Subject<'a> {
        Subject {
            arch,
            workload,
            technology: self.technology,
            gpu: self.gpu,
            rank,
            prompts: self.prompts,
        }
    }

    /// Costs on a machine of those that fit it.
    fn costs(
        &self,
        machine: &Machine,
        size: (usize, usize),
        rank: u32,
        close: &[(Candidate, f64)],
    ) -> Result<Vec<Winner>, CompareError> {
        let (mut arch, mut workload) = (self.arch.clone(), self.workload.clone());
        for (key, value) in machine.arch {
            arch.set(key, value)?;
        }
        for (key, value) in machine.workload {
            workload.set(key, value)?;
        }
        let arch = Arch::new(&arch)?;
        let subject = self.subject(&arch, &workload, rank);
        let mut costs = Vec::new();
        for &(candidate, error) in close {
            match cost(&subject, size, &candidate) {
                Ok(cost) => costs.push(Winner {
                    candidate,
                    error,
                    cost,
                }),
                Err(CompareError::Map(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(costs)
    }
}
