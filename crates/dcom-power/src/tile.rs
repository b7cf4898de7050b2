//! The lanes of a cluster in cells: multipliers, trees, accumulators, subtractors, as `rtl/synth/lane_datapath.sv` has them.
//!
//! Also what synthesis is compared with: [`Tile`] predicts blocks that were synthesized whole from units synthesized alone.

use dcom_fp::Accumulate;

use crate::cluster::to_f64;
use crate::coefficients::{Coefficients, Corner};
use crate::interval::Interval;
use crate::technology::{Accumulators, Subtractors, Technology, Trees};
use crate::unit::{Cells, Unit, word_bits};

/// Multiplexer bits per bit of a word at each level of an accumulator: operands and the way out. Derived: 2.1 (fp16) and 2.3
/// (fp32) from `pairwise_6` less its adders and registers, `reports/synth/units.csv`.
const ACCUMULATOR_MUXES: f64 = 2.2;

/// The enable of a product against a multiplexer: a two-input gate. Assumed: half.
const ENABLE: f64 = 0.5;

/// A block of lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Lanes per row.
    pub lanes_x: u64,
    /// Rows of lanes.
    pub lanes_y: u64,
    /// Precision of products and sums.
    pub accumulate: Accumulate,
    /// Depth of a multiplier (cycles).
    pub multiply_cycles: u64,
    /// Depth of an adder (cycles).
    pub add_cycles: u64,
    /// Row and column trees of their own, or one set for both.
    pub trees: Trees,
}

impl Tile {
    /// Cells of operand registers, multipliers and trees alone: `rtl/synth/cluster_tile.sv` (um2, not placed).
    #[must_use]
    pub fn arithmetic_um2(&self, technology: &Technology) -> Interval {
        self.interval(technology, |c| {
            // Two operands, and two cycles of an enable, per lane.
            let registers = Cells::registers(self.lanes() * (2.0 * 16.0 + 2.0));
            let enables = Cells::logic(self.lanes() * self.word() * ENABLE * c.mux_area);
            let multipliers = self.multiplier(c).cells * self.lanes();
            registers + enables + multipliers + self.row_and_column_trees(c)
        })
    }

    /// Cells of the lanes with accumulators and subtractors: `rtl/synth/lane_datapath.sv` (um2, not placed).
    #[must_use]
    pub fn datapath_um2(&self, technology: &Technology) -> Interval {
        self.interval(technology, |c| {
            self.multipliers(c)
                + self.trees(c)
                + self.accumulators(technology, c)
                + self.subtractors(technology, c)
                + self.results(c)
        })
    }

    fn interval(
        &self,
        technology: &Technology,
        cells: impl Fn(&Coefficients) -> Cells,
    ) -> Interval {
        Interval::of(Corner::ALL.map(|corner| {
            let c = Coefficients::corner(technology, corner);
            cells(&c).area_um2(&c)
        }))
    }

    pub(crate) fn lanes(&self) -> f64 {
        to_f64(self.lanes_x * self.lanes_y)
    }

    fn word(&self) -> f64 {
        word_bits(self.accumulate)
    }

    pub(crate) fn multiplier(&self, c: &Coefficients) -> Unit {
        Unit::multiplier(c, self.accumulate, to_f64(self.multiply_cycles))
    }

    pub(crate) fn adder(&self, c: &Coefficients) -> Unit {
        Unit::adder(c, self.accumulate, to_f64(self.add_cycles))
    }

    /// Logic of one product behind its multiplier: widening, and the enable.
    pub(crate) fn product_logic_um2(&self, c: &Coefficients) -> f64 {
        let widen = match self.accumulate {
            Accumulate::M16A32 => c.widen_area,
            Accumulate::M16A16 | Accumulate::X32 => 0.0,
        };
        widen + self.word() * ENABLE * c.mux_area
    }

    /// Rounding of a result.
    pub(crate) fn round_um2(&self, c: &Coefficients) -> f64 {
        match self.accumulate {
            Accumulate::M16A16 => 0.0,
            Accumulate::M16A32 | Accumulate::X32 => c.round_area,
        }
    }

    pub(crate) fn multipliers(&self, c: &Coefficients) -> Cells {
        (self.multiplier(c).cells + Cells::logic(self.product_logic_um2(c))) * self.lanes()
    }

    /// Row and column trees, and the tree of `dot` over the row sums.
    pub(crate) fn trees(&self, c: &Coefficients) -> Cells {
        self.row_and_column_trees(c) + self.adder(c).cells * to_f64(tree_adders(self.lanes_y))
    }

    fn row_and_column_trees(&self, c: &Coefficients) -> Cells {
        let rows = self.lanes_y * tree_adders(self.lanes_x);
        let columns = self.lanes_x * tree_adders(self.lanes_y);
        let adder = self.adder(c).cells;
        match self.trees {
            Trees::Dual => adder * to_f64(rows + columns),
            // Every product goes to its place in a row or in a column. With sides of different length the trees over the
            // shorter one go on to the longer one: as many adders as the larger set has.
            Trees::Shared => {
                adder * to_f64(rows.max(columns))
                    + Cells::logic(self.lanes() * self.word() * c.mux_area)
            }
        }
    }

    /// The pairwise accumulators behind the trees, and that of `dot`.
    pub(crate) fn accumulators(&self, t: &Technology, c: &Coefficients) -> Cells {
        let count = 1 + match t.trees {
            Trees::Dual => self.lanes_x + self.lanes_y,
            Trees::Shared => self.lanes_x.max(self.lanes_y),
        };
        let levels = f64::from(t.accumulator_levels);
        let muxes = Cells::logic(ACCUMULATOR_MUXES * self.word() * c.mux_area);
        // The waiting sum and its two state bits, and three bits that go along with the adder.
        let level = Cells::registers(self.word() + 2.0 + 3.0 * to_f64(self.add_cycles)) + muxes;
        let one = match t.accumulators {
            Accumulators::PerLevel => (self.adder(c).cells + level) * levels,
            Accumulators::Single => self.adder(c).cells + level * levels,
            Accumulators::None => Cells::default(),
        };
        one * to_f64(count)
    }

    /// z - w: z is widened, the result rounded.
    pub(crate) fn subtractors(&self, t: &Technology, c: &Coefficients) -> Cells {
        let widen_z = if self.word() == 32.0 {
            c.widen_area
        } else {
            0.0
        };
        let count = match t.subtractors {
            Subtractors::PerLane => self.lanes_x * self.lanes_y,
            Subtractors::PerRow => self.lanes_y,
        };
        (self.adder(c).cells + Cells::logic(widen_z + self.round_um2(c))) * to_f64(count)
    }

    /// Choice of what is subtracted (a row sum or a product) and of what is written (product, row or column sum, difference).
    pub(crate) fn results(&self, c: &Coefficients) -> Cells {
        let words = self.lanes() + to_f64(2 * self.lanes_y + self.lanes_x);
        Cells::logic(words * self.word() * c.mux_area)
    }
}

/// Adders of a tree over n operands: pairs at each level, the odd one with +0 (`docs/machine.md`, "tree").
pub(crate) fn tree_adders(mut operands: u64) -> u64 {
    let mut adders = 0;
    while operands > 1 {
        operands = operands.div_ceil(2);
        adders += operands;
    }
    adders
}
