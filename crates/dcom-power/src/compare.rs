//! Designs that an architect would compare the machine with, on the same workload: systolic arrays and an A100-class core.
//!
//! Each has the machine's multipliers and, but for the core, its memory, and runs the same products with its own activity
//! and its own time. What the workload needs beside them (statistics, scalar work, sequencing, the small SVD, transfers) costs
//! them what it costs the machine.

use dcom_arch::Arch;
use dcom_fp::Accumulate;
use dcom_timing::Activity;

use crate::cluster::to_f64;
use crate::coefficients::{Coefficients, Corner};
use crate::interval::Interval;
use crate::machine::Machine;
use crate::technology::Technology;
use crate::unit::word_bits;

mod gpu;
mod systolic;

/// What a workload asks of any design, over the whole batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// Products of elements of A.
    pub matrix_products: u64,
    /// Products of two vectors' elements: dot products and corrections, without computation expansion.
    pub vector_products: u64,
    /// Passes over vectors or A that need the result of the one before.
    pub steps: u64,
    /// Cycles that are neither products of A nor re-orthogonalization.
    pub other_cycles: u64,
    /// Counters of the machine's run, for what all designs share: memory, link, scalar work.
    pub activity: Activity,
}

/// Which operand of a systolic array stays in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dataflow {
    /// The vector stays in one column of the array, A passes it, sums move on.
    WeightStationary,
    /// Sums stay in one column of the array, A and the vector move.
    OutputStationary,
}

/// Systolic arrays with the machine's multipliers, and its memory as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Systolic {
    /// What stays.
    pub dataflow: Dataflow,
    /// Precision of partial sums.
    pub sums: Accumulate,
    /// Multipliers on each side of an array.
    pub side: u64,
    /// Operands that come from the memory for each product: 1 where the vector stays in the array, 2 where nothing is reused.
    pub operands_fetched: u64,
    /// Whether A is written to the memory before it is read to the array.
    pub staged: bool,
}

/// A core like those of an A100, scaled to so many multipliers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuCore {
    /// fp16 multipliers.
    pub multipliers: u64,
}

/// fp16 fused multiply-adds per cycle of an A100. Given: NVIDIA A100 whitepaper (2020): 108 SMs, 1024 each.
pub const A100_MULTIPLIERS: u64 = 108 * 1024;

/// A design to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design {
    /// Systolic arrays.
    Systolic(Systolic),
    /// An A100-class core.
    Gpu(GpuCore),
}

impl Design {
    /// Name in reports.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Design::Systolic(s) => {
                let dataflow = match s.dataflow {
                    Dataflow::WeightStationary => "weight-stationary",
                    Dataflow::OutputStationary => "output-stationary",
                };
                let sums = if word_bits(s.sums) == 16.0 {
                    "fp16"
                } else {
                    "fp32"
                };
                format!("systolic {}x{}, {dataflow}, {sums} sums", s.side, s.side)
            }
            Design::Gpu(_) => "A100-class core".to_owned(),
        }
    }
}

/// Area, energy and time of a design on the workload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// Placed area (um2).
    pub area_um2: Interval,
    /// Energy of the chip over the run (J).
    pub chip_j: Interval,
    /// Time of the run (s).
    pub time_s: Interval,
    /// Average power of the chip (W).
    pub power_w: Interval,
}

/// The machine over a design: 1 is equal, below 1 the machine is smaller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Placed area.
    pub area: Interval,
    /// Average power of the chip.
    pub power: Interval,
    /// Energy of the chip.
    pub energy: Interval,
    /// Time.
    pub time: Interval,
}

/// A machine's run, and what other designs make of the same work.
#[derive(Clone, Debug)]
pub struct Designs<'a> {
    /// The machine.
    pub arch: &'a Arch,
    /// The technology of all of them.
    pub technology: &'a Technology,
    /// The work.
    pub work: Work,
    /// Counters of the machine's own run.
    pub activity: Activity,
    /// Cycles of the machine's own run.
    pub cycles: u64,
}

/// One evaluation of a design.
#[derive(Clone, Copy, Debug)]
struct Evaluated {
    area_um2: f64,
    chip_j: f64,
    time_s: f64,
}

impl Designs<'_> {
    /// A design's area, energy, time and power.
    #[must_use]
    pub fn compare(&self, design: &Design) -> Compared {
        let corners = Corner::ALL.map(|corner| {
            let c = Coefficients::corner(self.technology, corner);
            self.evaluate(design, &c, &Machine::new(self.arch, self.technology, &c))
        });
        let of = |value: fn(&Evaluated) -> f64| Interval::of(corners.each_ref().map(value));
        Compared {
            area_um2: of(|e| e.area_um2),
            chip_j: of(|e| e.chip_j),
            time_s: of(|e| e.time_s),
            power_w: of(|e| e.chip_j / e.time_s),
        }
    }

    /// The machine over a design, nominal and between the 5th and 95th percentile of so many draws of all coefficients, the
    /// same ones for both.
    #[must_use]
    pub fn ratios(&self, design: &Design, draws: usize, seed: u64) -> Ratio {
        let nominal = self.ratio(
            design,
            &Coefficients::corner(self.technology, Corner::Nominal),
        );
        let mut random = SplitMix(seed);
        let drawn: Vec<[f64; 4]> = (0..draws)
            .map(|_| {
                self.ratio(
                    design,
                    &Coefficients::draw(self.technology, || random.uniform()),
                )
            })
            .collect();
        let of = |at: usize| {
            let mut values: Vec<f64> = drawn.iter().map(|ratio| ratio[at]).collect();
            values.sort_by(f64::total_cmp);
            let percentile = |p: usize| values.get(draws * p / 100).copied().unwrap_or(nominal[at]);
            Interval {
                low: percentile(5),
                nominal: nominal[at],
                high: percentile(95),
            }
        };
        Ratio {
            area: of(0),
            power: of(1),
            energy: of(2),
            time: of(3),
        }
    }

    /// Area, power, energy and time of the machine over those of the design.
    fn ratio(&self, design: &Design, c: &Coefficients) -> [f64; 4] {
        let machine = Machine::new(self.arch, self.technology, c);
        let own = self.own(&machine);
        let other = self.evaluate(design, c, &machine);
        let power = |e: &Evaluated| e.chip_j / e.time_s;
        [
            own.area_um2 / other.area_um2,
            power(&own) / power(&other),
            own.chip_j / other.chip_j,
            own.time_s / other.time_s,
        ]
    }

    fn own(&self, machine: &Machine) -> Evaluated {
        let cycles = to_f64(self.cycles);
        let dynamic: f64 = machine.dynamic_fj(&self.activity).iter().sum();
        let clock: f64 = machine.clock_fj.iter().sum::<f64>() * cycles;
        let time_s = self.seconds(cycles);
        let leakage: f64 = machine.leakage_uw.iter().sum::<f64>() * 1e-6 * time_s;
        Evaluated {
            area_um2: machine.area_um2.iter().sum(),
            chip_j: (dynamic + clock) * 1e-15 + leakage,
            time_s,
        }
    }

    fn seconds(&self, cycles: f64) -> f64 {
        cycles / (to_f64(self.arch.clock_mhz) * 1e6)
    }

    fn evaluate(&self, design: &Design, c: &Coefficients, machine: &Machine) -> Evaluated {
        match design {
            Design::Systolic(systolic) => self.systolic(systolic, c, machine),
            Design::Gpu(core) => self.gpu(core, c),
        }
    }

    /// Cycles of the products of A: at the array's edges, or at the memory's bandwidth.
    fn matrix_cycles(&self, products_per_cycle: f64) -> f64 {
        let products = to_f64(self.work.matrix_products) / products_per_cycle;
        let bytes = self.work.activity.memory_read_bytes;
        products.max(to_f64(self.arch.memory.rate.cycles_for(bytes)))
    }
}

/// Steele, Lea, Flood: Fast splittable pseudorandom number generators (OOPSLA 2014): draws that are the same everywhere.
struct SplitMix(u64);

impl SplitMix {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // 53 random bits, the digits of a float.
        to_f64((z ^ (z >> 31)) >> 11) / to_f64(1 << 53)
    }
}
