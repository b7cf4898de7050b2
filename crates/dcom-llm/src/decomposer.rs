//! D-com as the models see it: time and traffic of a decomposition, from the mapper and the timing model.

use std::cell::RefCell;
use std::collections::BTreeMap;

use dcom_arch::{Arch, ArchParams};
use dcom_config::ConfigError;
use dcom_mapper::{MapError, WorkloadParams, map};
use dcom_timing::{Options, TimingError, simulate};
use thiserror::Error;

use crate::op::Decomposition;
use crate::real;

/// A D-com machine with a mapping; the shape of the workload is set by each job.
#[derive(Debug)]
pub struct Decomposer {
    arch: Arch,
    workload: WorkloadParams,
    /// Shapes already timed.
    known: RefCell<BTreeMap<Decomposition, Job>>,
}

/// Prompts decomposed one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// Time of all prompts, their arrival over the link and the way back included (us).
    pub us: f64,
    /// Bytes read from and written to the memory that A streams from.
    pub memory_bytes: f64,
    /// Bytes over the link, both ways.
    pub link_bytes: f64,
}

impl Job {
    /// Mean bandwidth taken from the memory (GB/s).
    #[must_use]
    pub fn memory_gb_per_s(&self) -> f64 {
        if self.us > 0.0 {
            self.memory_bytes / self.us / 1e3
        } else {
            0.0
        }
    }
}

/// Why a decomposition has no time.
#[derive(Debug, Error)]
pub enum DecomposerError {
    /// A parameter of the machine or the workload.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The mapping does not fit.
    #[error("{rows} x {columns} to rank {rank} does not fit the machine: {key}: {message}", key = source.key, message = source.message)]
    Map {
        /// Rows of the activation.
        rows: u32,
        /// Its columns.
        columns: u32,
        /// Rank asked for.
        rank: u32,
        /// Why.
        source: MapError,
    },
    /// The mapper wrote a program that the machine does not run.
    #[error("the mapped program does not verify: {0}")]
    Verify(#[from] dcom_isa::VerifyError),
    /// The run cannot be counted.
    #[error(transparent)]
    Timing(#[from] TimingError),
}

impl From<ConfigError> for DecomposerError {
    fn from(error: ConfigError) -> DecomposerError {
        DecomposerError::Config(Box::new(error))
    }
}

impl Decomposer {
    /// A machine, and the mapping of a workload file.
    ///
    /// # Errors
    /// Parameters that contradict each other.
    pub fn new(
        arch: &ArchParams,
        workload: &WorkloadParams,
    ) -> Result<Decomposer, DecomposerError> {
        Ok(Decomposer {
            arch: Arch::new(arch)?,
            workload: workload.clone(),
            known: RefCell::default(),
        })
    }

    /// Times decompositions one after the other.
    ///
    /// # Errors
    /// Why the machine cannot do it.
    pub fn job(&self, decomposition: &Decomposition) -> Result<Job, DecomposerError> {
        if let Some(job) = self.known.borrow().get(decomposition) {
            return Ok(*job);
        }
        let Decomposition {
            prompts,
            rows,
            columns,
            rank,
            iterations,
        } = *decomposition;
        let mut workload = self.workload.clone();
        for (key, value) in [
            ("workload.prompts", prompts),
            ("workload.rows", rows),
            ("workload.columns", columns),
            ("workload.rank", rank),
            ("workload.iterations", iterations),
        ] {
            workload.set(key, &value.to_string())?;
        }
        let mapped = map(&self.arch, &workload).map_err(|source| DecomposerError::Map {
            rows,
            columns,
            rank,
            source,
        })?;
        let program = mapped.program.verify(&self.arch)?;
        let summary = simulate(&program, Options::default())?.summary(&program);
        let activity = &summary.activity;
        let job = Job {
            us: summary.time_us,
            memory_bytes: real(activity.memory_read_bytes + activity.memory_write_bytes),
            link_bytes: real(activity.link_in_bytes + activity.link_out_bytes),
        };
        self.known.borrow_mut().insert(*decomposition, job);
        Ok(job)
    }
}
