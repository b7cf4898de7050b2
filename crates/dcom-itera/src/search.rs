//! The hardware-aware search: formats, ranks and machine sizes against error, latency and area.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::error::IteraError;
use crate::format::Format;
use crate::machine::{Layer, Machine, Run, Stored, real};

/// Sides of the arrays that are tried: powers of two, and from 8 on one and a half times them.
const SIDES: [u64; 14] = [1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];

/// What a format does to one weight.
#[derive(Clone, Debug, PartialEq)]
pub struct FormatCurve {
    /// The format.
    pub format: Format,
    /// Error of quantization only.
    pub whole: f64,
    /// Error of factors with 0, 1, 2, ... terms.
    pub factored: Vec<f64>,
}

/// The layer and the surroundings of the array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Tokens that are multiplied at a time.
    pub tokens: u64,
    /// Rows of the weight.
    pub outputs: u64,
    /// Columns of the weight.
    pub inputs: u64,
    /// Clock \[GHz\].
    pub clock_ghz: f64,
    /// Memory bandwidth \[GB/s\].
    pub memory_gb_per_s: f64,
}

/// A weight in some storage on some array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// How the weight is stored.
    pub stored: Stored,
    /// The array.
    pub machine: Machine,
    /// Relative error.
    pub error: f64,
    /// Placed area of the array, nominal \[mm^2\].
    pub area_mm2: f64,
    /// Its time and energy.
    pub run: Run,
}

/// All designs of the search: quantization only, and factors at every rank that is a multiple of `rank_step`.
///
/// # Errors
/// A clock or bandwidth that is not positive, a step of zero.
pub fn designs(
    curves: &[FormatCurve],
    setting: &Setting,
    rank_step: usize,
) -> Result<Vec<Design>, IteraError> {
    if rank_step == 0 {
        return Err(IteraError::Range {
            what: "the step of ranks",
            min: 1,
            max: usize::MAX,
            found: 0,
        });
    }
    let mut machines = Vec::new();
    for rows in SIDES {
        for columns in SIDES {
            let machine = Machine::new(rows, columns, setting.clock_ghz, setting.memory_gb_per_s)?;
            machines.push(machine);
        }
    }
    let weights: Vec<(Stored, f64)> = curves
        .iter()
        .flat_map(|curve| {
            let format = curve.format;
            let ranks = (rank_step..curve.factored.len()).step_by(rank_step);
            let factored = ranks.map(move |rank| {
                let stored = Stored::Factored {
                    format,
                    rank: u64::try_from(rank).expect("usize is at most 64 bits"),
                };
                (stored, curve.factored[rank])
            });
            std::iter::once((Stored::Whole(format), curve.whole)).chain(factored)
        })
        .collect();
    Ok(weights
        .par_iter()
        .flat_map_iter(|&(stored, error)| {
            machines
                .iter()
                .map(move |machine| design(stored, error, machine, setting))
        })
        .collect())
}

fn design(stored: Stored, error: f64, machine: &Machine, setting: &Setting) -> Design {
    let layer = Layer {
        tokens: setting.tokens,
        outputs: setting.outputs,
        inputs: setting.inputs,
        stored,
    };
    Design {
        stored,
        machine: *machine,
        error,
        area_mm2: machine.area_mm2(stored.format()).value,
        run: machine.run(&layer),
    }
}

/// The designs that no other beats in error and latency at once, by rising error; of equals the smallest.
#[must_use]
pub fn pareto_front<'a>(designs: impl Iterator<Item = &'a Design>) -> Vec<Design> {
    let mut sorted: Vec<Design> = designs.copied().collect();
    let key = |d: &Design| [d.error, d.run.latency_us, d.area_mm2];
    sorted.sort_by(|a, b| {
        let pairs = key(a).into_iter().zip(key(b));
        let mut orders = pairs.map(|(a, b)| a.total_cmp(&b));
        orders.find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    });
    // In this order only earlier designs can beat a later one.
    let mut front: Vec<Design> = Vec::new();
    for candidate in sorted {
        let fastest = front.last().map(|last| last.run.latency_us);
        if fastest.is_none_or(|fastest| candidate.run.latency_us < fastest) {
            front.push(candidate);
        }
    }
    front
}

/// Limits that a design must keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Largest error.
    pub error: f64,
    /// Largest placed area of the array \[mm^2\].
    pub area_mm2: f64,
    /// Largest number of processing elements.
    pub elements: u64,
}

/// The fastest of the designs within the limits that `wanted` accepts; of equals the smallest.
#[must_use]
pub fn fastest(
    designs: &[Design],
    limits: &Limits,
    wanted: impl Fn(&Design) -> bool,
) -> Option<Design> {
    let within = |d: &&Design| {
        d.error <= limits.error
            && d.area_mm2 <= limits.area_mm2
            && d.machine.rows * d.machine.columns <= limits.elements
            && wanted(d)
    };
    let order = |a: &&Design, b: &&Design| {
        let latency = a.run.latency_us.total_cmp(&b.run.latency_us);
        latency.then(a.area_mm2.total_cmp(&b.area_mm2))
    };
    designs.iter().filter(within).min_by(order).copied()
}

/// Factors against quantization only at equal or less error, under equal limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The fastest quantization-only design with the error of the baseline's format or less.
    pub whole: Design,
    /// The fastest factored design with no larger error; none if no rank reaches it.
    pub factored: Option<Design>,
}

impl Comparison {
    /// Compares at the error of quantization only in some format, within limits for the array.
    #[must_use]
    pub fn new(designs: &[Design], limits: &Limits) -> Option<Comparison> {
        let is_whole = |d: &Design| matches!(d.stored, Stored::Whole(_));
        Some(Comparison {
            whole: fastest(designs, limits, is_whole)?,
            factored: fastest(designs, limits, |d| !is_whole(d)),
        })
    }

    /// Part of the latency that the factors save; negative where they are slower.
    #[must_use]
    pub fn reduction(&self) -> Option<f64> {
        let factored = self.factored?;
        Some(1.0 - factored.run.latency_us / self.whole.run.latency_us)
    }
}

impl Design {
    /// Storage of the weight per element of it \[bit\].
    #[must_use]
    pub fn bits_per_weight(&self, setting: &Setting) -> f64 {
        let vector = |len: u64| {
            let len = usize::try_from(len).expect("a dimension of a matrix in memory");
            self.stored.format().storage_bits(len)
        };
        let bits = match self.stored {
            Stored::Whole(_) => setting.outputs * vector(setting.inputs),
            Stored::Factored { rank, .. } => {
                rank * (vector(setting.inputs) + vector(setting.outputs))
            }
        };
        real(bits) / real(setting.outputs * setting.inputs)
    }
}
