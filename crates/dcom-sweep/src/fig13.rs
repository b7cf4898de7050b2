//! The paper's Fig. 13 and its claims on area and power (C9, C10), over the choices that the paper leaves open.
//!
//! No coefficient and no choice is fitted to these claims: the report shows where in the range over all combinations they lie,
//! and which choices take them there.

use dcom_arch::Arch;
use dcom_fp::Accumulate;
use dcom_isa::Phase;
use dcom_power::{
    A100_MULTIPLIERS, Dataflow, Design, Designs, GpuCore, Interval, Ratio, Systolic, Work,
};
use rayon::prelude::*;

use crate::point::{Base, Point, PointError, evaluate};

mod report;

/// Area over a systolic array's (C9), power over it (C10), area of an A100-class core over the machine's (C9). Given: section
/// 6.5.
pub const PAPER_AREA: f64 = 1.03;
/// See [`PAPER_AREA`].
pub const PAPER_POWER: f64 = 0.41;
/// See [`PAPER_AREA`].
pub const PAPER_GPU: f64 = 7.0;

/// How near counts as reached: the claims are printed to whole per cents.
const NEAR: f64 = 0.02;

/// "about 7x": half a unit.
const NEAR_GPU: f64 = 0.5;

/// Draws of the coefficients for an interval, and their seed.
const DRAWS: usize = 400;
const SEED: u64 = 13;

/// Choices for the machine: key and values.
const MACHINE: &[(&str, &[&str])] = &[
    ("implementation.trees", &["dual", "shared"]),
    (
        "implementation.accumulators",
        &["per_level", "single", "none"],
    ),
    ("implementation.subtractors", &["per_lane", "per_row"]),
    ("implementation.rotators", &["element", "aligned"]),
    ("implementation.buffer_ports", &["banked", "single"]),
    ("cluster.accumulate", &["m16a32", "m16a16"]),
    ("cluster.buffer_bytes", &["8192", "32768"]),
    ("bank.capacity_bytes", &["131072", "524288"]),
];

/// Choices for the systolic array, in the order of the columns of the CSV.
const ARRAY: &[&str] = &["sums", "side", "operands_fetched"];

/// What a design is asked to do for a workload, counted on the machine at an expansion factor of 1.
///
/// # Errors
/// The workload does not run there.
pub fn work(base: &Base) -> Result<Work, PointError> {
    let mut plain = base.clone();
    plain.set("mapping.expansion_factor", "1")?;
    let point = evaluate(&plain)?;
    Ok(work_of(&plain, &point))
}

fn work_of(base: &Base, point: &Point) -> Work {
    let w = &base.workload;
    let (rows, columns, prompts) = (
        u64::from(w.rows),
        u64::from(w.columns),
        u64::from(w.prompts),
    );
    let iterations = u64::from(w.iterations.min(w.rows).min(w.columns));
    let matrix_products = 2 * rows * columns * iterations * prompts;
    let passes = u64::from(w.gram_schmidt_passes);
    // Each iteration has two products of A, each followed by a dot product and a correction against every vector so far
    // (modified), or against all of them at once (classical).
    let against = match w.gram_schmidt {
        dcom_mapper::Scheme::Modified => iterations * (iterations + 1) / 2,
        dcom_mapper::Scheme::Classical => iterations,
    };
    let steps = prompts * 2 * (iterations + 2 * passes * against);
    let cycles = |phase: Phase| point.summary.phases[phase as usize].1;
    let activity = point.summary.activity;
    Work {
        matrix_products,
        vector_products: activity.multiplications.saturating_sub(matrix_products),
        steps,
        other_cycles: point.summary.cycles - cycles(Phase::MatVec) - cycles(Phase::Reorth),
        activity,
    }
}

/// The designs that are compared where no choice is stated: a 128 x 128 array, the vector in the array, A straight from memory.
#[must_use]
pub fn designs(arch: &Arch) -> Vec<Design> {
    let systolic = |dataflow, sums| {
        Design::Systolic(Systolic {
            dataflow,
            sums,
            ..DEFAULT
        })
    };
    vec![
        systolic(Dataflow::WeightStationary, Accumulate::M16A16),
        systolic(Dataflow::WeightStationary, Accumulate::M16A32),
        systolic(Dataflow::OutputStationary, Accumulate::M16A16),
        systolic(Dataflow::OutputStationary, Accumulate::M16A32),
        Design::Gpu(GpuCore {
            multipliers: arch.clusters() * arch.lanes(),
        }),
    ]
}

const DEFAULT: Systolic = Systolic {
    dataflow: Dataflow::WeightStationary,
    sums: Accumulate::M16A32,
    side: 128,
    operands_fetched: 1,
    staged: false,
};

/// One combination of choices, at nominal coefficients.
#[derive(Clone, Debug)]
pub struct Combination {
    /// Key or name of a choice, and its value.
    pub choices: Vec<(&'static str, String)>,
    /// Area of the machine over that of the array.
    pub area: f64,
    /// The same for power.
    pub power: f64,
    /// The same for energy.
    pub energy: f64,
    /// The same for time.
    pub time: f64,
    /// Area of a core with an A100's multipliers over that of the machine.
    pub gpu: f64,
}

/// The figure: the base as it is, and all combinations.
#[derive(Clone, Debug)]
pub struct Fig13 {
    /// The default choices against each design, with intervals over draws of the coefficients.
    pub defaults: Vec<(String, Ratio)>,
    /// A core with an A100's multipliers over the machine, in area, with its interval.
    pub gpu: Interval,
    /// Every combination.
    pub combinations: Vec<Combination>,
    /// The machine's multipliers.
    pub multipliers: u64,
}

/// A machine with the work it does.
struct Candidate {
    choices: Vec<(&'static str, String)>,
    arch: Arch,
    base: Base,
    own: Point,
    work: Work,
}

impl Candidate {
    fn new(base: &Base, choices: Vec<(&'static str, String)>) -> Result<Candidate, PointError> {
        let mut base = base.clone();
        for (key, value) in &choices {
            base.set(key, value)?;
        }
        let own = evaluate(&base)?;
        Ok(Candidate {
            arch: Arch::new(&base.arch)?,
            work: work(&base)?,
            choices,
            base,
            own,
        })
    }

    fn designs(&self) -> Designs<'_> {
        Designs {
            arch: &self.arch,
            technology: &self.base.technology,
            work: self.work,
            activity: self.own.summary.activity,
            cycles: self.own.summary.cycles,
        }
    }
}

/// Evaluates the figure on a base whose files are the paper's machine and workload.
///
/// # Errors
/// The base itself does not evaluate.
pub fn fig13(base: &Base) -> Result<Fig13, PointError> {
    let default = Candidate::new(base, Vec::new())?;
    let named = designs(&default.arch);
    let defaults = named
        .iter()
        .map(|design| (design.name(), default.designs().ratios(design, DRAWS, SEED)))
        .collect();
    let gpu = default.designs().ratios(&a100(), DRAWS, SEED).area;
    let machines = combinations(MACHINE);
    let candidates: Vec<Candidate> = machines
        .into_par_iter()
        .map(|choices| Candidate::new(base, choices))
        .collect::<Result<_, _>>()?;
    let combinations = candidates
        .par_iter()
        .flat_map_iter(|candidate| arrays().into_iter().map(|array| combine(candidate, array)))
        .collect();
    Ok(Fig13 {
        defaults,
        gpu: Interval {
            low: 1.0 / gpu.high,
            nominal: 1.0 / gpu.nominal,
            high: 1.0 / gpu.low,
        },
        combinations,
        multipliers: default.own.machine.multipliers,
    })
}

fn a100() -> Design {
    Design::Gpu(GpuCore {
        multipliers: A100_MULTIPLIERS,
    })
}

fn combine(candidate: &Candidate, array: Systolic) -> Combination {
    let designs = candidate.designs();
    // Without draws the interval is the nominal value.
    let ratio = designs.ratios(&Design::Systolic(array), 0, SEED);
    let gpu = designs.ratios(&a100(), 0, SEED);
    let mut choices = candidate.choices.clone();
    let values = [
        match array.sums {
            Accumulate::M16A16 => "fp16".to_owned(),
            Accumulate::M16A32 | Accumulate::X32 => "fp32".to_owned(),
        },
        array.side.to_string(),
        array.operands_fetched.to_string(),
    ];
    choices.extend(ARRAY.iter().copied().zip(values));
    Combination {
        choices,
        area: ratio.area.nominal,
        power: ratio.power.nominal,
        energy: ratio.energy.nominal,
        time: ratio.time.nominal,
        gpu: 1.0 / gpu.area.nominal,
    }
}

/// The cross product of some choices, the first one slowest.
fn combinations(choices: &[(&'static str, &[&str])]) -> Vec<Vec<(&'static str, String)>> {
    choices.iter().fold(vec![Vec::new()], |all, (key, values)| {
        let longer = |one: &Vec<(&'static str, String)>| {
            values
                .iter()
                .map(|value| [&one[..], &[(*key, (*value).to_owned())]].concat())
                .collect::<Vec<_>>()
        };
        all.iter().flat_map(longer).collect()
    })
}

/// The arrays of the combinations. Which operand stays, and whether A is staged, hardly moves the ratios of a mat-vec: the
/// former is in the table of designs, the latter is what a second operand fetched costs, or less.
fn arrays() -> Vec<Systolic> {
    let mut all = Vec::new();
    for sums in [Accumulate::M16A32, Accumulate::M16A16] {
        for side in [8, 128] {
            all.extend([1, 2].map(|operands_fetched| Systolic {
                sums,
                side,
                operands_fetched,
                ..DEFAULT
            }));
        }
    }
    all
}
