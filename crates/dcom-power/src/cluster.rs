//! What one cluster is built of, unit by unit, as `rtl/src/lanes.sv` and `rtl/src/cluster.sv` are.

use dcom_arch::Arch;

use crate::coefficients::Coefficients;
use crate::sram::Memory;
use crate::technology::{BufferPorts, Rotators, Technology};
use crate::tile::Tile;
use crate::unit::{Cells, Unit, word_bits};

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
        let tile = Tile {
            lanes_x: k.lanes_x,
            lanes_y: k.lanes_y,
            accumulate: k.accumulate,
            multiply_cycles: k.multiply_cycles,
            add_cycles: arch.tree_add_cycles(),
            trees: t.trees,
        };
        let (lanes, word) = (tile.lanes(), word_bits(k.accumulate));
        let rotator = match t.rotators {
            Rotators::Element => to_f64(choice_levels(arch.lanes())) * 16.0 * c.mux_area,
            Rotators::Aligned => 0.0,
        };
        let lane_muxes = LANE_MUXES * 16.0 * c.mux_area;
        let read = to_f64(k.buffer_read_elements.min(arch.lanes()));
        // A narrower port fills an operand in parts, which wait in registers.
        let collected = if read < lanes {
            READ_PORTS * lanes
        } else {
            0.0
        };
        let tile_registers = if arch.bank.port_elements < arch.lanes() {
            lanes
        } else {
            0.0
        };
        let read_registers = READ_PORTS * read * to_f64(k.buffer_read_cycles);
        let (buffer, buffer_macros, buffer_copies) = buffer(arch, t);
        Cluster {
            multiplier: tile.multiplier(c),
            adder: tile.adder(c),
            multipliers: tile.multipliers(c),
            trees: tile.trees(c),
            accumulators: tile.accumulators(t, c),
            subtractors: tile.subtractors(t, c),
            operand_registers: Cells::registers(
                16.0 * (collected + tile_registers + read_registers),
            ),
            // A rotator at each read port and before the result's write port.
            steering: tile.results(c)
                + Cells::logic(lanes * (lane_muxes + rotator * (READ_PORTS + 1.0))),
            control: Cells::logic(c.cluster_control_area),
            buffer,
            buffer_macros,
            buffer_copies,
            partials: Memory {
                kib: to_f64(arch.sequencer.partial_registers) * word / 8192.0,
                width_bytes: word / 8.0,
                ports: 2.0,
            },
            product_logic_um2: lane_muxes + word * c.mux_area + tile.product_logic_um2(c),
            element_logic_um2: rotator + tile.round_um2(c),
        }
    }
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
        BufferPorts::Single => {
            let memory = Memory {
                kib,
                width_bytes,
                ports: 1.0,
            };
            (memory, 1.0, 1.0)
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
