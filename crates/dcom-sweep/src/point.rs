//! One design point: parameters in, cycles out.

use std::path::Path;

use dcom_arch::{Arch, ArchParams};
use dcom_config::{ConfigError, ErrorKind, Source};
use dcom_mapper::{MapError, WorkloadParams, map};
use dcom_power::{Interval, PartEnergy, PowerModel, Technology};
use dcom_timing::{Options, Summary, TimingError, simulate};
use thiserror::Error;

/// A machine and a workload before anything is overridden.
#[derive(Clone, Debug)]
pub struct Base {
    /// The machine's parameters.
    pub arch: ArchParams,
    /// The workload's parameters.
    pub workload: WorkloadParams,
    /// The technology, for area and energy.
    pub technology: Technology,
}

/// Why a point has no numbers.
#[derive(Debug, Error)]
pub enum PointError {
    /// A file or an override is wrong.
    #[error(transparent)]
    Config(#[from] Box<ConfigError>),
    /// The mapping does not fit the machine.
    #[error("{key}: {message}", key = .0.key, message = .0.message)]
    Map(#[from] MapError),
    /// The mapper wrote a program that the machine does not run.
    #[error("the mapped program does not verify: {0}")]
    Verify(#[from] dcom_isa::VerifyError),
    /// The run cannot be counted.
    #[error(transparent)]
    Timing(#[from] TimingError),
}

impl PointError {
    /// Whether the point does not fit the machine, rather than being wrong.
    #[must_use]
    pub fn is_infeasible(&self) -> bool {
        match self {
            PointError::Map(_) => true,
            PointError::Config(error) => error.kind() == ErrorKind::Conflict,
            PointError::Verify(_) | PointError::Timing(_) => false,
        }
    }
}

impl From<ConfigError> for PointError {
    fn from(error: ConfigError) -> PointError {
        PointError::Config(Box::new(error))
    }
}

/// The numbers of one point.
#[derive(Clone, Debug)]
pub struct Point {
    /// The whole batch.
    pub summary: Summary,
    /// Time per prompt (us).
    pub time_us_per_prompt: f64,
    /// How large the machine is.
    pub machine: MachineSize,
    /// Area and energy.
    pub power: PointPower,
}

/// Area, and energy of the whole batch.
#[derive(Clone, Copy, Debug)]
pub struct PointPower {
    /// Placed area of the chip (um2).
    pub area_um2: Interval,
    /// Energy of the chip by activity (J).
    pub dynamic_j: Interval,
    /// Energy of the chip by the clock (J).
    pub clock_j: Interval,
    /// Energy of the chip by leakage (J).
    pub leakage_j: Interval,
    /// Energy of the chip (J).
    pub chip_j: Interval,
    /// Average power of the chip (W).
    pub chip_w: Interval,
    /// Memory traffic, not on the chip (J).
    pub memory_j: Interval,
    /// Link traffic, not on the chip (J).
    pub link_j: Interval,
}

impl PointPower {
    /// Asks the model.
    #[must_use]
    pub fn of(model: &PowerModel, summary: &Summary) -> PointPower {
        let energy = model.energy(&summary.activity, summary.cycles);
        PointPower {
            area_um2: model.total_area_um2(),
            dynamic_j: energy.sum(|part: &PartEnergy| part.dynamic_j),
            clock_j: energy.sum(|part| part.clock_j),
            leakage_j: energy.sum(|part| part.leakage_j),
            chip_j: energy.chip_j,
            chip_w: energy.chip_w(),
            memory_j: energy.memory_j,
            link_j: energy.link_j,
        }
    }
}

/// What a machine consists of.
#[derive(Clone, Copy, Debug)]
pub struct MachineSize {
    /// Clusters.
    pub clusters: u64,
    /// Banks.
    pub banks: u64,
    /// fp16 multipliers.
    pub multipliers: u64,
    /// Capacity of all banks (B).
    pub bank_bytes: u64,
    /// Capacity of all cluster buffers (B).
    pub buffer_bytes: u64,
}

impl MachineSize {
    pub(crate) fn of(arch: &Arch) -> MachineSize {
        MachineSize {
            clusters: arch.clusters(),
            banks: arch.banks(),
            multipliers: arch.clusters() * arch.lanes(),
            bank_bytes: arch.banks() * arch.bank.capacity_bytes,
            buffer_bytes: arch.clusters() * arch.cluster.buffer_bytes,
        }
    }
}

impl Base {
    /// Reads both files; the technology is the one that the library carries.
    ///
    /// # Errors
    /// File, line, key, value and range of what is wrong.
    pub fn read(arch: &Path, workload: &Path) -> Result<Base, PointError> {
        Ok(Base {
            arch: ArchParams::parse(Source::read(arch)?)?,
            workload: WorkloadParams::parse(Source::read(workload)?)?,
            technology: Technology::nangate15(),
        })
    }

    /// Overrides one key of the machine, the technology or the workload.
    ///
    /// # Errors
    /// Unknown key, or a value out of its range.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), PointError> {
        if ArchParams::keys().iter().any(|k| k.path == key) {
            self.arch.set(key, value)?;
        } else if Technology::has_key(key) {
            self.technology.set(key, value)?;
        } else {
            self.workload.set(key, value)?;
        }
        Ok(())
    }
}

/// Maps, verifies and times one point.
///
/// # Errors
/// Why the point is infeasible.
pub fn evaluate(base: &Base) -> Result<Point, PointError> {
    let arch = Arch::new(&base.arch)?;
    let mapped = map(&arch, &base.workload)?;
    let program = mapped.program.verify(&arch)?;
    let summary = simulate(&program, Options::default())?.summary(&program);
    let power = PointPower::of(&PowerModel::new(&arch, &base.technology), &summary);
    Ok(Point {
        power,
        time_us_per_prompt: summary.time_us / f64::from(base.workload.prompts),
        summary,
        machine: MachineSize::of(&arch),
    })
}
