//! The whole machine at one set of coefficients: area, registers and leakage by component, and what every event costs.

use dcom_arch::{Arch, BankPorts};
use dcom_timing::Activity;

use crate::cluster::{Cluster, to_f64};
use crate::coefficients::Coefficients;
use crate::sram::Memory;
use crate::technology::Technology;
use crate::unit::{Cells, Unit, word_bits};

macro_rules! components {
    ($($(#[doc = $doc:literal])+ $Variant:ident $name:literal;)*) => {
        /// A part of the machine in reports.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Component { $($(#[doc = $doc])+ $Variant),* }

        impl Component {
            /// All components, in the order of reports.
            pub const ALL: &'static [Component] = &[$(Component::$Variant),*];

            /// Name in reports and columns.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Component::$Variant => $name),* }
            }
        }
    };
}

components! {
    /// Multipliers of the lanes, with the widening of their products.
    Multipliers "multipliers";
    /// Adders of the row trees, the column trees and the tree of `dot`. The energy of every addition in the clusters is
    /// here: activity does not tell trees, accumulators and subtractors apart.
    Trees "trees";
    /// Pairwise accumulators.
    Accumulators "accumulators";
    /// The subtraction z - w per lane, with widening and rounding.
    Subtractors "subtractors";
    /// Operands between buffer, column bus and lanes.
    OperandRegisters "operand_registers";
    /// Multiplexers before and behind the lanes, rotators at the buffer.
    Steering "steering";
    /// Cluster buffers.
    Buffers "buffers";
    /// Control of the clusters.
    ClusterControl "cluster_control";
    /// Registers for the sums of `dot`.
    Partials "partial_registers";
    /// Memory banks.
    Banks "banks";
    /// Global broadcast memory.
    Broadcast "broadcast_memory";
    /// Scalar unit.
    Scalar "scalar_unit";
    /// Adders of the partition network.
    Network "partition_network";
    /// Statistics unit.
    Statistics "statistics_unit";
    /// Sequencer with its tables.
    Sequencer "sequencer";
    /// Column buses, broadcast and network wires, ways from the edge of the die.
    Wires "wires";
}

/// Components there are.
pub(crate) const COMPONENTS: usize = 16;

/// An fp32 multiplier against an fp16 one, in area and energy. Given: 7700 / 1640 um2 (Hennessy and Patterson, 6th edition,
/// Fig. 1.13, 45 nm), 3.7 / 1.1 pJ (Horowitz, ISSCC 2014, 45 nm); the larger of the two.
const FP32_MULTIPLIER: f64 = 4.7;

/// Bits of an entry of the layout table, and of the busy state of a region. Assumed: seven 8-bit fields and a busy bit; a
/// writer bit and a count of readers.
const LAYOUT_BITS: f64 = 64.0;
const REGION_BITS: f64 = 8.0;

/// Instruction store. Assumed: 16 KiB, the inner loop of a decomposition; longer programs are fetched behind it.
const INSTRUCTION_KIB: f64 = 16.0;

/// Bits of a decoded instruction on its way to the clusters. Assumed: opcode and destination (24), three places
/// in the buffer and three counts of 16 bits, an exponent (8).
const CONTROL_BITS: f64 = 128.0;

/// Length of a tree over neighbours, per leaf, in distances between leaves (an H-tree over n leaves on a square of side L is
/// 1.5 L (root n - 1) long).
const TREE_LENGTH: f64 = 1.5;

/// One evaluation of the machine.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// Placed area.
    pub(crate) area_um2: [f64; COMPONENTS],
    /// Clock energy of a cycle.
    pub(crate) clock_fj: [f64; COMPONENTS],
    /// Leakage power.
    pub(crate) leakage_uw: [f64; COMPONENTS],
    events: Events,
    pub(crate) memory_pj_per_bit: f64,
    pub(crate) link_pj_per_bit: f64,
}

/// Energy per event (fJ).
#[derive(Clone, Debug)]
struct Events {
    multiply: f64,
    operands: f64,
    lane_steering: f64,
    add: f64,
    element_steering: f64,
    buffer_read: f64,
    buffer_write: f64,
    partial: f64,
    bank_read: f64,
    bank_write: f64,
    broadcast_read: f64,
    broadcast_write: f64,
    scalar: f64,
    statistics: f64,
    instruction: f64,
    column_bus: f64,
    edge_element: f64,
    broadcast_write_wire: f64,
    broadcast_read_wire: f64,
    network_wire: f64,
    instruction_wire: f64,
}

/// Area, registers and leakage while they are added up.
struct Sums<'a> {
    c: &'a Coefficients,
    area_um2: [f64; COMPONENTS],
    clock_fj: [f64; COMPONENTS],
    leakage_uw: [f64; COMPONENTS],
}

impl Sums<'_> {
    fn cells(&mut self, component: Component, cells: Cells, count: f64) {
        let area = cells.area_um2(self.c) * count;
        let at = component as usize;
        self.area_um2[at] += area / self.c.placement_utilization;
        self.clock_fj[at] += cells.registers * count * self.c.register_clock;
        self.leakage_uw[at] += area * self.c.logic_leakage * 1e-3;
    }

    fn memory(&mut self, component: Component, memory: Memory, count: f64) {
        let at = component as usize;
        self.area_um2[at] += memory.area_um2(self.c) * count / self.c.sram_utilization;
        self.leakage_uw[at] += memory.leakage_uw(self.c) * count;
    }
}

impl Machine {
    pub(crate) fn new(arch: &Arch, t: &Technology, c: &Coefficients) -> Machine {
        let cluster = Cluster::new(arch, t, c);
        let mut sums = Sums {
            c,
            area_um2: [0.0; COMPONENTS],
            clock_fj: [0.0; COMPONENTS],
            leakage_uw: [0.0; COMPONENTS],
        };
        let clusters = to_f64(arch.clusters());
        clusters_of(&mut sums, &cluster, clusters);
        let cluster_mm = (sums.area_um2.iter().sum::<f64>() / clusters).sqrt() * 1e-3;
        let shared = Shared::new(arch, t);
        let fp32 = Unit::adder(
            c,
            dcom_fp::Accumulate::X32,
            to_f64(arch.cluster.add32_cycles),
        );
        shared.add_up(&mut sums, arch, c, &cluster, fp32);
        let wires = Wires::new(arch, cluster_mm, sums.area_um2.iter().sum());
        let wire_um2 = wires.bit_mm(arch) * c.wire_area;
        let at = Component::Wires as usize;
        sums.area_um2[at] = wire_um2 / c.placement_utilization;
        sums.leakage_uw[at] = wire_um2 * c.logic_leakage * 1e-3;
        Machine {
            events: Events::new(arch, c, &cluster, &shared, fp32, &wires),
            area_um2: sums.area_um2,
            clock_fj: sums.clock_fj,
            leakage_uw: sums.leakage_uw,
            memory_pj_per_bit: c.memory_energy,
            link_pj_per_bit: c.link_energy,
        }
    }

    /// Dynamic energy by component (fJ).
    pub(crate) fn dynamic_fj(&self, a: &Activity) -> [f64; COMPONENTS] {
        let e = &self.events;
        let n = to_f64;
        let elements = n(a.buffer_read_elements) + n(a.buffer_write_elements);
        let on_bus = n(a.bank_read_elements) + n(a.bank_write_elements) + n(a.stream_elements);
        // What comes from memory or the link, or goes there, crosses half the die.
        let from_edge = n(a.stream_elements) + (n(a.link_in_bytes) + n(a.link_out_bytes)) / 2.0;
        let mut energy = [0.0; COMPONENTS];
        for component in Component::ALL {
            energy[*component as usize] = match component {
                Component::Multipliers => n(a.multiplications) * e.multiply,
                Component::Trees => n(a.additions) * e.add,
                // Their additions are counted with those of the trees.
                Component::Accumulators | Component::Subtractors => 0.0,
                Component::OperandRegisters => n(a.multiplications) * e.operands,
                Component::Steering => {
                    n(a.multiplications) * e.lane_steering + elements * e.element_steering
                }
                Component::Buffers => {
                    n(a.buffer_read_elements) * e.buffer_read
                        + n(a.buffer_write_elements) * e.buffer_write
                }
                // Contained in the energy of an instruction.
                Component::ClusterControl => 0.0,
                Component::Partials => n(a.network_words) * e.partial,
                Component::Banks => {
                    n(a.bank_read_elements) * e.bank_read + n(a.bank_write_elements) * e.bank_write
                }
                Component::Broadcast => {
                    n(a.global_read_words) * e.broadcast_read
                        + n(a.global_write_words) * e.broadcast_write
                }
                Component::Scalar => n(a.scalar_operations) * e.scalar,
                Component::Network => n(a.network_additions) * e.add,
                Component::Statistics => n(a.statistics_elements) * e.statistics,
                Component::Sequencer => n(a.instructions) * e.instruction,
                Component::Wires => {
                    on_bus * e.column_bus
                        + from_edge * e.edge_element
                        + n(a.global_write_words) * e.broadcast_write_wire
                        + n(a.global_read_words) * e.broadcast_read_wire
                        + n(a.network_words) * e.network_wire
                        + n(a.instructions) * e.instruction_wire
                }
            };
        }
        energy
    }
}

fn clusters_of(sums: &mut Sums<'_>, cluster: &Cluster, clusters: f64) {
    sums.cells(Component::Multipliers, cluster.multipliers, clusters);
    sums.cells(Component::Trees, cluster.trees, clusters);
    sums.cells(Component::Accumulators, cluster.accumulators, clusters);
    sums.cells(Component::Subtractors, cluster.subtractors, clusters);
    sums.cells(
        Component::OperandRegisters,
        cluster.operand_registers,
        clusters,
    );
    sums.cells(Component::Steering, cluster.steering, clusters);
    sums.cells(Component::ClusterControl, cluster.control, clusters);
    sums.memory(
        Component::Buffers,
        cluster.buffer,
        clusters * cluster.buffer_macros,
    );
    sums.memory(Component::Partials, cluster.partials, clusters);
}

/// Memories outside the clusters.
struct Shared {
    bank: Memory,
    broadcast: Memory,
    registers: Memory,
    column_sums: Memory,
    instructions: Memory,
    tables: Memory,
}

impl Shared {
    fn new(arch: &Arch, t: &Technology) -> Shared {
        let word_bytes = word_bits(arch.cluster.accumulate) / 8.0;
        let width = to_f64(arch.broadcast.width_words);
        let s = &arch.sequencer;
        let regions = to_f64(s.buffer_regions + s.bank_vectors + s.global_regions);
        Shared {
            bank: Memory {
                kib: to_f64(arch.bank.capacity_bytes) / 1024.0,
                width_bytes: 2.0 * to_f64(arch.bank.port_elements),
                ports: match arch.bank.ports {
                    BankPorts::Shared => 1.0,
                    BankPorts::ReadAndWrite => 2.0,
                },
            },
            broadcast: Memory {
                kib: to_f64(arch.broadcast.capacity_words) * word_bytes / 1024.0,
                width_bytes: width * word_bytes,
                ports: 2.0,
            },
            registers: Memory {
                kib: to_f64(arch.scalar.registers) * 4.0 / 1024.0,
                width_bytes: 4.0,
                ports: 3.0,
            },
            column_sums: Memory {
                kib: f64::from(t.statistics_columns) * 4.0 / 1024.0,
                width_bytes: to_f64(arch.ingest.width_elements) * 4.0,
                ports: 2.0,
            },
            instructions: Memory {
                kib: INSTRUCTION_KIB,
                width_bytes: 16.0,
                ports: 1.0,
            },
            tables: Memory {
                kib: (to_f64(s.layouts) * LAYOUT_BITS + regions * REGION_BITS) / 8192.0,
                width_bytes: 8.0,
                ports: 2.0,
            },
        }
    }

    fn add_up(
        &self,
        sums: &mut Sums<'_>,
        arch: &Arch,
        c: &Coefficients,
        cluster: &Cluster,
        fp32: Unit,
    ) {
        sums.memory(Component::Banks, self.bank, to_f64(arch.banks()));
        sums.memory(Component::Broadcast, self.broadcast, 1.0);
        let multiplier = Cells::logic(c.multiply16_area * FP32_MULTIPLIER) + Cells::registers(64.0);
        let scalar = multiplier + fp32.cells + Cells::logic(c.divider_area);
        sums.cells(Component::Scalar, scalar, 1.0);
        sums.memory(Component::Scalar, self.registers, 1.0);
        // A tree over any clusters is cut from one over all of them.
        let links = to_f64((arch.clusters() - 1) * arch.network.width_words);
        sums.cells(Component::Network, cluster.adder.cells, links);
        // Per element a square, an addition in the tree, and one to a column's sum.
        let square = Unit::multiplier(
            c,
            dcom_fp::Accumulate::X32,
            to_f64(arch.cluster.multiply_cycles),
        );
        let lane = square.cells + fp32.cells * 2.0;
        sums.cells(
            Component::Statistics,
            lane,
            to_f64(arch.ingest.width_elements),
        );
        sums.memory(Component::Statistics, self.column_sums, 1.0);
        sums.cells(Component::Sequencer, Cells::logic(c.sequencer_area), 1.0);
        sums.memory(Component::Sequencer, self.instructions, 1.0);
        sums.memory(Component::Sequencer, self.tables, 1.0);
    }
}

/// Distances on a square die (mm): columns of clusters side by side, the banks at their ends, the broadcast memory in the
/// middle of one edge.
pub(crate) struct Wires {
    /// Side of a cluster.
    cluster: f64,
    /// A column bus.
    column: f64,
    /// Side of the die.
    side: f64,
    /// From the broadcast memory along every column: a spine and a rib per column.
    comb: f64,
}

impl Wires {
    fn new(arch: &Arch, cluster_mm: f64, area_um2: f64) -> Wires {
        let side = area_um2.sqrt() * 1e-3;
        Wires {
            cluster: cluster_mm,
            column: cluster_mm * to_f64(arch.rows * arch.bank.columns),
            side,
            comb: side * (to_f64(arch.columns) + 1.0),
        }
    }

    /// All wires beyond a cluster, bits times length.
    fn bit_mm(&self, arch: &Arch) -> f64 {
        let word = word_bits(arch.cluster.accumulate);
        let port = 16.0 * to_f64(arch.bank.port_elements) * to_f64(arch.banks());
        let links = to_f64(arch.clusters() * arch.network.width_words) * word;
        port * (self.column + self.side / 2.0)
            + to_f64(arch.broadcast.width_words) * word * self.comb
            + links * TREE_LENGTH * self.cluster
            + CONTROL_BITS * self.comb
    }
}

impl Events {
    fn new(
        arch: &Arch,
        c: &Coefficients,
        cluster: &Cluster,
        shared: &Shared,
        fp32: Unit,
        wires: &Wires,
    ) -> Events {
        let word = word_bits(arch.cluster.accumulate);
        let multiply = cluster.multiplier.energy_fj;
        let wire = |bits: f64, mm: f64| bits * mm * c.wire_energy;
        let memory =
            |m: &Memory, bits: f64| (bits * m.read_fj_per_bit(c), bits * m.write_fj_per_bit(c));
        let (bank_read, bank_write) = memory(&shared.bank, 16.0);
        let (broadcast_read, broadcast_write) = memory(&shared.broadcast, word);
        let (register_read, register_write) = memory(&shared.registers, 32.0);
        let (sums_read, sums_write) = memory(&shared.column_sums, 32.0);
        let (partial_read, partial_write) = memory(&cluster.partials, word);
        let square = Unit::multiplier(
            c,
            dcom_fp::Accumulate::X32,
            to_f64(arch.cluster.multiply_cycles),
        );
        Events {
            multiply,
            operands: 2.0 * 16.0 * c.register_write,
            lane_steering: cluster.product_logic_um2 * c.logic_energy,
            add: cluster.adder.energy_fj,
            element_steering: cluster.element_logic_um2 * c.logic_energy,
            buffer_read: 16.0 * cluster.buffer.read_fj_per_bit(c),
            buffer_write: 16.0 * cluster.buffer.write_fj_per_bit(c) * cluster.buffer_copies,
            partial: partial_read + partial_write,
            bank_read,
            bank_write,
            broadcast_read,
            broadcast_write,
            scalar: c.multiply16_energy * FP32_MULTIPLIER + 2.0 * register_read + register_write,
            statistics: square.energy_fj + 2.0 * fp32.energy_fj + sums_read + sums_write,
            instruction: c.instruction_energy * 1e3,
            column_bus: wire(16.0, wires.column),
            edge_element: wire(16.0, wires.side / 2.0),
            broadcast_write_wire: wire(word, wires.side),
            broadcast_read_wire: wire(word, wires.comb),
            network_wire: wire(word, TREE_LENGTH * wires.cluster),
            instruction_wire: wire(CONTROL_BITS, wires.comb),
        }
    }
}
