//! Systolic arrays on the machine's work. A mat-vec has one vector, so it engages one column of each array.

use dcom_arch::Arch;
use dcom_fp::Accumulate;

use super::{Dataflow, Designs, Evaluated, Systolic};
use crate::cluster::to_f64;
use crate::coefficients::{Coefficients, Corner};
use crate::interval::Interval;
use crate::machine::{Component, Machine};
use crate::sram::Memory;
use crate::technology::Technology;
use crate::unit::{Cells, Unit, word_bits};

/// Cycles to and from the memory in every dependent step. Assumed: as the machine's bank of the same size.
const MEMORY_CYCLES: f64 = 4.0;

/// What the arrays take over from the machine.
const SHARED: [Component; 3] = [
    Component::Scalar,
    Component::Statistics,
    Component::Sequencer,
];

/// A multiplier of an array with what is around it.
struct Element {
    multiplier: Unit,
    adder: Unit,
    cells: Cells,
    /// Logic that widens a product.
    widen_um2: f64,
}

/// Arrays and memory on a die.
struct Die {
    /// Multipliers of all arrays.
    multipliers: f64,
    /// Multipliers of one column of each array.
    engaged: f64,
    memory: Memory,
    /// Cells of the arrays, before they are placed.
    cells_um2: f64,
    wire_um2: f64,
    area_um2: f64,
}

impl Systolic {
    /// Cells of one array (um2, not placed), as `rtl/synth/systolic_*.sv` have them.
    #[must_use]
    pub fn array_um2(
        &self,
        technology: &Technology,
        multiply_cycles: u64,
        add_cycles: u64,
    ) -> Interval {
        Interval::of(Corner::ALL.map(|corner| {
            let c = Coefficients::corner(technology, corner);
            let element = self.element(&c, to_f64(multiply_cycles), to_f64(add_cycles));
            element.cells.area_um2(&c) * to_f64(self.side * self.side)
        }))
    }

    fn element(&self, c: &Coefficients, multiply_cycles: f64, add_cycles: f64) -> Element {
        let multiplier = Unit::multiplier(c, self.sums, multiply_cycles);
        let adder = Unit::adder(c, self.sums, add_cycles);
        let widen_um2 = match self.sums {
            Accumulate::M16A32 => c.widen_area,
            Accumulate::M16A16 | Accumulate::X32 => 0.0,
        };
        let word = word_bits(self.sums);
        let leaving = match self.dataflow {
            Dataflow::WeightStationary => Cells::default(),
            // A register for a sum on its way out, and the choice of what it takes.
            Dataflow::OutputStationary => Cells::registers(word) + Cells::logic(word * c.mux_area),
        };
        let cells = multiplier.cells
            + adder.cells
            + Cells::logic(widen_um2)
            + Cells::registers(2.0 * 16.0)
            + leaving;
        Element {
            multiplier,
            adder,
            cells,
            widen_um2,
        }
    }

    fn add_cycles(&self, arch: &Arch) -> f64 {
        to_f64(match self.sums {
            Accumulate::M16A16 => arch.cluster.add16_cycles,
            Accumulate::M16A32 | Accumulate::X32 => arch.cluster.add32_cycles,
        })
    }
}

impl Designs<'_> {
    pub(super) fn systolic(&self, s: &Systolic, c: &Coefficients, machine: &Machine) -> Evaluated {
        let multiply_cycles = to_f64(self.arch.cluster.multiply_cycles);
        let element = s.element(c, multiply_cycles, s.add_cycles(self.arch));
        let die = self.die(s, c, machine, &element);
        let cycles = self.systolic_cycles(s, die.engaged);
        let dynamic = self.systolic_fj(s, c, machine, &element, &die);
        let clock = element.cells.registers * die.multipliers * c.register_clock
            + shared(&machine.clock_fj);
        let leakage = (die.cells_um2 + die.wire_um2) * c.logic_leakage * 1e-3
            + die.memory.leakage_uw(c)
            + shared(&machine.leakage_uw);
        let time_s = self.seconds(cycles);
        Evaluated {
            area_um2: die.area_um2,
            chip_j: (dynamic + clock * cycles) * 1e-15 + leakage * 1e-6 * time_s,
            time_s,
        }
    }

    fn die(&self, s: &Systolic, c: &Coefficients, machine: &Machine, element: &Element) -> Die {
        let multipliers = to_f64(self.arch.clusters() * self.arch.lanes());
        let engaged = multipliers / to_f64(s.side);
        let memory = self.whole_memory();
        let cells_um2 = element.cells.area_um2(c) * multipliers;
        let parts_um2 = cells_um2 / c.placement_utilization
            + memory.area_um2(c) / c.sram_utilization
            + shared(&machine.area_um2);
        // Both edges of every array, from a memory in the middle of the die.
        let wire_um2 = 2.0 * 16.0 * engaged * parts_um2.sqrt() * 1e-3 / 2.0 * c.wire_area;
        Die {
            multipliers,
            engaged,
            memory,
            cells_um2,
            wire_um2,
            area_um2: parts_um2 + wire_um2 / c.placement_utilization,
        }
    }

    fn systolic_cycles(&self, s: &Systolic, engaged: f64) -> f64 {
        let (side, add_cycles) = (to_f64(s.side), s.add_cycles(self.arch));
        let latency = match s.dataflow {
            // A sum passes an adder per multiplier of the column.
            Dataflow::WeightStationary => side * add_cycles,
            // The vector passes the column; the interleaved sums of each multiplier are then added up.
            Dataflow::OutputStationary => side + add_cycles * add_cycles,
        };
        self.matrix_cycles(engaged)
            + to_f64(self.work.vector_products) / engaged
            + to_f64(self.work.steps) * (latency + MEMORY_CYCLES)
            + to_f64(self.work.other_cycles)
    }

    fn systolic_fj(
        &self,
        s: &Systolic,
        c: &Coefficients,
        machine: &Machine,
        element: &Element,
        die: &Die,
    ) -> f64 {
        let moved = match s.dataflow {
            Dataflow::WeightStationary => 16.0,
            Dataflow::OutputStationary => 32.0,
        };
        let wire = 16.0 * die.area_um2.sqrt() * 1e-3 * c.wire_energy;
        let fetch = 16.0 * die.memory.read_fj_per_bit(c) + wire;
        let store = 16.0 * die.memory.write_fj_per_bit(c) + wire;
        let product = element.multiplier.energy_fj
            + element.adder.energy_fj
            + element.widen_um2 * c.logic_energy
            + moved * c.register_write
            + to_f64(s.operands_fetched) * fetch;
        let products = to_f64(self.work.matrix_products) + to_f64(self.work.vector_products);
        // Every second product of vectors is a correction, which stores its result.
        let stored = to_f64(self.work.vector_products) / 2.0
            + if s.staged {
                to_f64(self.work.activity.stream_elements)
            } else {
                0.0
            };
        products * product
            + stored * store
            + to_f64(self.work.activity.link_in_bytes) / 2.0 * wire / 2.0
            + shared(&machine.dynamic_fj(&self.work.activity))
    }

    /// Banks, buffers and broadcast memory as one memory with a read and a write port.
    fn whole_memory(&self) -> Memory {
        let a = self.arch;
        let word_bytes = word_bits(a.cluster.accumulate) / 8.0;
        let bytes = to_f64(a.banks() * a.bank.capacity_bytes)
            + to_f64(a.clusters() * a.cluster.buffer_bytes)
            + to_f64(a.broadcast.capacity_words) * word_bytes;
        Memory {
            kib: bytes / 1024.0,
            width_bytes: 2.0 * to_f64(a.bank.port_elements),
            ports: 2.0,
        }
    }
}

fn shared(values: &[f64]) -> f64 {
    SHARED.iter().map(|part| values[*part as usize]).sum()
}
