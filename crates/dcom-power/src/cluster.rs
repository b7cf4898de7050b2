//! What one cluster is built of, unit by unit, as `rtl/src/lane_datapath.sv` and `cluster.sv` are.

use dcom_arch::Arch;
use dcom_fp::Accumulate;

use crate::coefficients::Coefficients;
use crate::sram::Memory;
use crate::technology::{Accumulators, BufferPorts, Technology, Trees};
use crate::unit::{Cells, Unit, word_bits};

/// Multiplexer bits per bit of a word at each level of an accumulator: operands and the way out. Derived: 2.5 from the
/// accumulators of `rtl/src`, synthesized beside their adders.
const ACCUMULATOR_MUXES: f64 = 2.5;

/// Two-input multiplexers before the operands of a lane: two for a (three sources), three for b (four sources). Derived
/// from `rtl/src/cluster.sv`.
const LANE_MUXES: f64 = 5.0;

/// Read ports of the buffer: operands a and b, and z. `docs/machine.md`, section 3: `lanes` and the subtraction.
const READ_PORTS: f64 = 3.0;

/// Write ports: from the column bus, and from behind the lanes.
const WRITE_PORTS: f64 = 2.0;

/// The parts of a cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cluster {
    pub(crate) multiplier: Unit,
    pub(crate) adder: Unit,
    pub(crate) multipliers: Cells,
    pub(crate) trees: Cells,
    pub(crate) accumulators: Cells,
    pub(crate) subtractors: Cells,
    pub(crate) operand_registers: Cells,
    pub(crate) steering: Cells,
    pub(crate) control: Cells,
    /// One macro of the buffer, and how many hold all data and copies.
    pub(crate) buffer: Memory,
    pub(crate) buffer_macros: f64,
    /// Copies that a write goes to.
    pub(crate) buffer_copies: f64,
    pub(crate) partials: Memory,
    /// Logic that one product passes beside its multiplier.
    pub(crate) product_logic_um2: f64,
    /// Logic that one element passes between buffer and lanes.
    pub(crate) element_logic_um2: f64,
}

impl Cluster {
    pub(crate) fn new(arch: &Arch, t: &Technology, c: &Coefficients) -> Cluster {
        let k = &arch.cluster;
        let mode = k.accumulate;
        let (x, y) = (to_f64(k.lanes_x), to_f64(k.lanes_y));
        let (lanes, word) = (x * y, word_bits(mode));
        let multiplier = Unit::multiplier(c, mode, to_f64(k.multiply_cycles));
        let adder = Unit::adder(c, mode, to_f64(arch.tree_add_cycles()));
        let (widen, round) = match mode {
            Accumulate::M16A16 => (0.0, 0.0),
            Accumulate::M16A32 => (c.widen_area, c.round_area),
            // Products are exact: only z and the results change their format.
            Accumulate::X32 => (0.0, c.round_area),
        };
        let widen_z = if word == 32.0 { c.widen_area } else { 0.0 };
        let rotator = to_f64(choice_levels(arch.lanes())) * 16.0 * c.mux_area;
        let lane_muxes = LANE_MUXES * 16.0 * c.mux_area;
        // The enable of a product, the choice of what is subtracted, and of what is written.
        let word_muxes = 3.0 * word * c.mux_area;
        let read = to_f64(k.buffer_read_elements.min(arch.lanes()));
        // A narrower port fills an operand in parts, which wait in registers.
        let collected = if read < lanes {
            READ_PORTS * lanes
        } else {
            0.0
        };
        let tile = if arch.bank.port_elements < arch.lanes() {
            lanes
        } else {
            0.0
        };
        let read_registers = READ_PORTS * read * to_f64(k.buffer_read_cycles);
        let (buffer, buffer_macros, buffer_copies) = buffer(arch, t);
        Cluster {
            multiplier,
            adder,
            multipliers: (multiplier.cells + Cells::logic(widen)) * lanes,
            trees: trees(k.lanes_x, k.lanes_y, t.trees, adder, word, c),
            accumulators: accumulators(k.lanes_x, k.lanes_y, t, adder, word, c),
            subtractors: (adder.cells + Cells::logic(widen_z + round)) * lanes,
            operand_registers: Cells::registers(16.0 * (collected + tile + read_registers)),
            steering: Cells::logic(
                lanes * (lane_muxes + word_muxes + rotator * (READ_PORTS + 1.0)),
            ),
            control: Cells::logic(c.cluster_control_area),
            buffer,
            buffer_macros,
            buffer_copies,
            partials: Memory {
                kib: to_f64(arch.sequencer.partial_registers) * word / 8192.0,
                width_bytes: word / 8.0,
                ports: 2.0,
            },
            product_logic_um2: lane_muxes + word_muxes + widen,
            element_logic_um2: rotator + round,
        }
    }

    /// Cells of the lanes: what `rtl/src/lane_datapath.sv` has, without steering to and from the buffer.
    pub(crate) fn lanes(&self) -> Cells {
        self.multipliers + self.trees + self.accumulators + self.subtractors
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

/// Row and column trees, and the tree of `dot` over the row sums.
fn trees(x: u64, y: u64, trees: Trees, adder: Unit, word: f64, c: &Coefficients) -> Cells {
    let (rows, columns) = (y * tree_adders(x), x * tree_adders(y));
    let dot = tree_adders(y);
    match trees {
        Trees::Dual => adder.cells * to_f64(rows + columns + dot),
        // Every lane's product goes to its place in a row tree or in a column tree.
        Trees::Shared => {
            adder.cells * to_f64(rows.max(columns) + dot)
                + Cells::logic(to_f64(x * y) * word * c.mux_area)
        }
    }
}

/// The pairwise accumulators behind the trees, and that of `dot`.
fn accumulators(x: u64, y: u64, t: &Technology, adder: Unit, word: f64, c: &Coefficients) -> Cells {
    let count = 1 + match t.trees {
        Trees::Dual => x + y,
        Trees::Shared => x.max(y),
    };
    let levels = f64::from(t.accumulator_levels);
    let muxes = Cells::logic(ACCUMULATOR_MUXES * word * c.mux_area);
    // The waiting sum, and its state.
    let level = Cells::registers(word + 5.0) + muxes;
    let one = match t.accumulators {
        Accumulators::PerLevel => (adder.cells + level) * levels,
        Accumulators::Single => adder.cells + level * levels,
    };
    one * to_f64(count)
}

/// One macro, how many of them, and copies of the data.
fn buffer(arch: &Arch, t: &Technology) -> (Memory, f64, f64) {
    let kib = to_f64(arch.cluster.buffer_bytes) / 1024.0;
    let width_bytes = to_f64(arch.buffer_row_bytes());
    match t.buffer_ports {
        BufferPorts::Banked => {
            let macros = f64::from(t.buffer_macros);
            let memory = Memory {
                kib: kib / macros,
                width_bytes,
                ports: 2.0,
            };
            (memory, macros, 1.0)
        }
        BufferPorts::Replicated => {
            let memory = Memory {
                kib,
                width_bytes,
                ports: 1.0 + WRITE_PORTS,
            };
            (memory, READ_PORTS, READ_PORTS)
        }
        BufferPorts::Multiport => {
            let memory = Memory {
                kib,
                width_bytes,
                ports: READ_PORTS + WRITE_PORTS,
            };
            (memory, 1.0, 1.0)
        }
    }
}

/// Levels of a binary choice among n.
fn choice_levels(n: u64) -> u64 {
    u64::from(n.next_power_of_two().trailing_zeros())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of parts and events for areas and energies"
)]
pub(crate) fn to_f64(count: u64) -> f64 {
    count as f64
}
