//! The machines that are compared: one cluster, its bank, and the paper's machine around it.

use std::path::Path;

use dcom_arch::Arch;
use dcom_cosim::{Bench, CosimError, Geometry, Verilator};
use dcom_fp::Accumulate;

use crate::build_directory;

/// A machine of one cluster, with what the RTL needs beyond the machine description.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) name: &'static str,
    pub(crate) arch: Arch,
    /// The pairwise accumulators take up to 2^levels sums.
    pub(crate) levels: u64,
}

/// The parameters in which the machines differ.
struct Parameters {
    lanes: (u64, u64),
    accumulate: Accumulate,
    rows: u64,
    /// Elements that the lanes read from the buffer, that the bank's port moves.
    widths: (u64, u64),
    decode: u64,
    /// Buffer read and write, bank read.
    memories: (u64, u64, u64),
    /// Multiplication, fp16 addition, fp32 addition.
    arithmetic: (u64, u64, u64),
}

impl Machine {
    /// Small, with the latencies of the paper's machine.
    pub(crate) fn small() -> Machine {
        Machine::new(
            "4x4_m16a32",
            5,
            &Parameters {
                lanes: (4, 4),
                accumulate: Accumulate::M16A32,
                rows: 256,
                widths: (16, 64),
                decode: 1,
                memories: (1, 1, 3),
                arithmetic: (2, 2, 2),
            },
        )
    }

    /// The paper's cluster with deeper pipelines and narrower ports.
    pub(crate) fn deep() -> Machine {
        Machine::new(
            "8x8_m16a32",
            4,
            &Parameters {
                lanes: (8, 8),
                accumulate: Accumulate::M16A32,
                rows: 128,
                widths: (24, 40),
                decode: 3,
                memories: (2, 3, 5),
                arithmetic: (3, 2, 4),
            },
        )
    }

    /// No power of two anywhere.
    pub(crate) fn odd() -> Machine {
        Machine::new(
            "3x5_m16a16",
            5,
            &Parameters {
                lanes: (3, 5),
                accumulate: Accumulate::M16A16,
                rows: 250,
                widths: (4, 7),
                decode: 2,
                memories: (3, 2, 3),
                arithmetic: (1, 3, 2),
            },
        )
    }

    /// Exact products; wider than high.
    pub(crate) fn exact() -> Machine {
        Machine::new(
            "6x2_x32",
            5,
            &Parameters {
                lanes: (6, 2),
                accumulate: Accumulate::X32,
                rows: 250,
                widths: (12, 12),
                decode: 1,
                memories: (1, 1, 2),
                arithmetic: (1, 2, 1),
            },
        )
    }

    fn new(name: &'static str, levels: u64, p: &Parameters) -> Machine {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/arch/dcom-paper.toml");
        let mut arch = Arch::read(&file).expect("the paper's machine is valid");
        (arch.columns, arch.rows) = (1, 1);
        let cluster = &mut arch.cluster;
        (cluster.lanes_x, cluster.lanes_y) = p.lanes;
        cluster.accumulate = p.accumulate;
        cluster.buffer_bytes = p.rows * 2 * p.lanes.0 * p.lanes.1;
        cluster.buffer_read_elements = p.widths.0;
        (cluster.buffer_read_cycles, cluster.buffer_write_cycles) = (p.memories.0, p.memories.1);
        (
            cluster.multiply_cycles,
            cluster.add16_cycles,
            cluster.add32_cycles,
        ) = p.arithmetic;
        arch.bank.port_elements = p.widths.1;
        arch.bank.read_cycles = p.memories.2;
        arch.sequencer.decode_cycles = p.decode;
        Machine { name, arch, levels }
    }

    pub(crate) fn parameters(&self) -> [(&'static str, u64); 13] {
        let (arch, cluster) = (&self.arch, &self.arch.cluster);
        let mode = match cluster.accumulate {
            Accumulate::M16A16 => 0,
            Accumulate::M16A32 => 1,
            Accumulate::X32 => 2,
        };
        [
            ("MODE", mode),
            ("LANES_X", cluster.lanes_x),
            ("LANES_Y", cluster.lanes_y),
            ("BUFFER_ROWS", arch.buffer_rows()),
            // One operand has no more elements than there are lanes, and a tile is for one cluster.
            (
                "READ_ELEMENTS",
                cluster.buffer_read_elements.min(arch.lanes()),
            ),
            ("BEAT_ELEMENTS", self.beat_elements()),
            ("LEVELS", self.levels),
            ("DECODE_LATENCY", arch.sequencer.decode_cycles),
            ("BUFFER_READ_LATENCY", cluster.buffer_read_cycles),
            ("BUFFER_WRITE_LATENCY", cluster.buffer_write_cycles),
            ("BANK_READ_LATENCY", arch.bank.read_cycles),
            ("MULTIPLY_LATENCY", cluster.multiply_cycles),
            ("ADD_LATENCY", arch.tree_add_cycles()),
        ]
    }

    pub(crate) fn build(&self, verilator: &Verilator) -> Result<Bench, CosimError> {
        verilator.build(
            "cluster_tb",
            &self.parameters(),
            &build_directory(self.name),
        )
    }

    pub(crate) fn geometry(&self) -> Geometry {
        Geometry {
            lanes: index(self.arch.lanes()),
            beat_elements: index(self.beat_elements()),
            bank_read_cycles: self.arch.bank.read_cycles,
        }
    }

    fn beat_elements(&self) -> u64 {
        self.arch.bank.port_elements.min(self.arch.lanes())
    }
}

/// A size of these machines as an index.
pub(crate) fn index(n: u64) -> usize {
    usize::try_from(n).expect("small machines")
}
