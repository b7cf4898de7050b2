//! The machines of which the whole RTL is built and compared.
//!
//! They are `configs/arch/small.toml` with other parameters. Between them they cover every accumulate mode, banks of one and
//! of two columns, shared and separate ports, and widths and latencies on either side of each "larger of" in
//! `docs/machine.md`. All values are chosen for that and stand for no hardware.

use dcom_arch::{Arch, ArchParams};
use dcom_base::Rate;
use dcom_config::Source;
use dcom_isa::{BufferKind, Lay, Op, Shape, Verified};

use crate::package::{Room, package};
use crate::values::Random;

/// A machine with the room that its build has for programs.
#[derive(Clone, Debug)]
pub struct Build {
    /// Name, for folders and messages.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// The machine.
    pub arch: Arch,
    /// Room for programs.
    pub room: Room,
}

/// Replaced parameters of a machine file.
type Parameters = &'static [(&'static str, &'static str)];

/// Room for the random programs and the Lanczos programs of the tests.
const MEMORIES: Parameters = &[
    ("sequencer.buffer_regions", "96"),
    ("sequencer.layouts", "24"),
    ("svd.round_trip_cycles", "300"),
    ("broadcast.capacity_words", "1024"),
];

const SMALL: Parameters = &[
    ("cluster.buffer_bytes", "8192"),
    ("bank.capacity_bytes", "32768"),
];

/// Clusters of the paper's size; blocks and tiles as wide as the ports, or wider.
const WIDE: Parameters = &[
    ("array.columns", "2"),
    ("array.rows", "2"),
    ("cluster.lanes_x", "8"),
    ("cluster.lanes_y", "8"),
    ("cluster.buffer_bytes", "16384"),
    ("cluster.buffer_read_elements", "64"),
    ("cluster.ingest_elements", "8"),
    ("bank.port_elements", "64"),
    ("bank.capacity_bytes", "65536"),
    ("network.width_words", "8"),
    ("broadcast.width_words", "8"),
    ("broadcast.write_ports", "4"),
    ("ingest.width_elements", "8"),
    ("link.bandwidth_gb_per_s", "32"),
];

/// No power of two; the last bank serves one column; buffers slower than banks; one chain per machine of 6 clusters.
const ODD: Parameters = &[
    ("array.columns", "3"),
    ("array.rows", "2"),
    ("bank.columns", "2"),
    ("cluster.lanes_x", "5"),
    ("cluster.lanes_y", "3"),
    ("cluster.buffer_bytes", "9000"),
    ("cluster.buffer_read_elements", "11"),
    ("cluster.ingest_elements", "3"),
    ("cluster.buffer_read_cycles", "3"),
    ("cluster.buffer_write_cycles", "2"),
    ("cluster.multiply_cycles", "1"),
    ("bank.port_elements", "7"),
    ("bank.read_cycles", "2"),
    ("bank.capacity_bytes", "28000"),
    ("network.width_words", "3"),
    ("broadcast.width_words", "6"),
    ("broadcast.write_ports", "7"),
    ("ingest.width_elements", "3"),
    ("memory.bandwidth_gb_per_s", "7"),
    ("link.bandwidth_gb_per_s", "3"),
];

/// Every pipeline longer, no two alike; exact products; one port per bank that reads or writes; narrow reads.
const DEEP: Parameters = &[
    ("cluster.accumulate", "x32"),
    ("cluster.buffer_bytes", "8192"),
    ("cluster.buffer_read_elements", "8"),
    ("cluster.ingest_elements", "16"),
    ("cluster.buffer_read_cycles", "2"),
    ("cluster.buffer_write_cycles", "3"),
    ("cluster.multiply_cycles", "3"),
    ("cluster.add16_cycles", "4"),
    ("cluster.add32_cycles", "5"),
    ("bank.capacity_bytes", "32768"),
    ("bank.port_elements", "16"),
    ("bank.ports", "1rw"),
    ("bank.read_cycles", "6"),
    ("bank.write_cycles", "4"),
    ("network.hop_cycles", "2"),
    ("broadcast.read_cycles", "3"),
    ("broadcast.write_cycles", "4"),
    ("scalar.simple_cycles", "3"),
    ("scalar.divide_cycles", "17"),
    ("scalar.sqrt_cycles", "19"),
    ("memory.exposed_latency_cycles", "7"),
    ("link.latency_cycles", "23"),
    ("sequencer.decode_cycles", "3"),
];

/// Sums in fp16; one bank for the machine; clusters wider than high; memory slower than the link.
const HALF: Parameters = &[
    ("cluster.accumulate", "m16a16"),
    ("array.columns", "2"),
    ("array.rows", "2"),
    ("bank.columns", "2"),
    ("cluster.lanes_x", "8"),
    ("cluster.lanes_y", "2"),
    ("cluster.buffer_bytes", "8192"),
    ("cluster.buffer_read_elements", "16"),
    ("cluster.add16_cycles", "1"),
    ("cluster.add32_cycles", "3"),
    ("bank.port_elements", "4"),
    ("bank.capacity_bytes", "65536"),
    ("network.hop_cycles", "0"),
    ("broadcast.width_words", "5"),
    ("memory.bandwidth_gb_per_s", "4"),
    ("link.bandwidth_gb_per_s", "8"),
];

impl Build {
    /// The builds that are compared.
    #[must_use]
    pub fn all() -> Vec<Build> {
        [
            ("small", "2 x 2 clusters of 4 x 4 lanes", SMALL),
            ("wide", "clusters of 8 x 8 lanes", WIDE),
            ("odd", "sizes that are not powers of two", ODD),
            ("deep", "deeper pipelines", DEEP),
            ("half", "fp16 sums", HALF),
        ]
        .map(|(name, purpose, parameters)| Build::new(name, purpose, parameters))
        .into()
    }

    fn new(name: &'static str, purpose: &'static str, parameters: Parameters) -> Build {
        let small = Source::new(
            "configs/arch/small.toml",
            include_str!("../../../configs/arch/small.toml"),
        );
        let mut params = ArchParams::parse(small).expect("a machine file of the project");
        for (key, value) in MEMORIES.iter().chain(parameters) {
            let set = params.set(key, value);
            set.unwrap_or_else(|e| panic!("{name}: {key} = {value}: {e}"));
        }
        params
            .set("machine.name", name)
            .expect("every machine has a name");
        Build {
            name,
            purpose,
            arch: Arch::new(&params).unwrap_or_else(|e| panic!("{name}: {e}")),
            room: Room::default(),
        }
    }

    /// The same build with a link and a memory of other speeds, or of its own: the RTL takes them with the program.
    #[must_use]
    pub fn paced(&self, random: &mut Random) -> Build {
        let mut paced = self.clone();
        let rates = [
            (1, 1),
            (2, 1),
            (7, 2),
            (4, 1),
            (19, 3),
            (8, 1),
            (31, 5),
            (16, 1),
            (64, 1),
        ];
        let rate = |random: &mut Random, rates: &[(u64, u64)], own: Rate| {
            let (bytes, cycles) = random.pick(rates);
            random.pick(&[own, Rate::new(bytes, cycles)])
        };
        paced.arch.link.rate = rate(random, &rates, self.arch.link.rate);
        // With the slowest, a run is a wait for streams.
        paced.arch.memory.rate = rate(random, &rates[2..], self.arch.memory.rate);
        paced
    }

    /// Checks that the build has room for a program beyond what the machine itself limits.
    ///
    /// # Errors
    /// What there is too much of.
    pub fn room_for(&self, program: &Verified<'_>) -> Result<(), String> {
        let (tables, room, arch) = (program.program(), &self.room, &self.arch);
        let shapes = (0..tables.layouts.len()).map(|l| {
            let layout = u16::try_from(l).expect("layouts are numbered in 16 bits");
            program.shape(Lay(layout))
        });
        let longest = |n: fn(&Shape) -> u64| shapes.clone().map(n).max().unwrap_or_default();
        let side = arch.cluster.lanes_x.min(arch.cluster.lanes_y);
        let sizes = tables.matrices.iter();
        let longer = sizes.clone().map(|m| m.rows.max(m.columns)).max();
        let positions = u64::from(longer.unwrap_or_default()).div_ceil(side);
        let groups = sizes
            .clone()
            .map(|m| u64::from(m.rows) * u64::from(m.columns).div_ceil(arch.ingest.width_elements));
        let columns = sizes.clone().map(|m| m.columns.into());
        let chunks = longest(Shape::round_len).div_ceil(arch.lanes());
        let passes = tables.buffers.iter().map(|b| match b.kind {
            BufferKind::Coefs(n) => u64::from(n).div_ceil(arch.cluster.lanes_x),
            _ => 0,
        });
        let sums = tables.instrs.iter().map(|i| match i.op {
            Op::Sum { n, .. } => u64::from(n).div_ceil(arch.broadcast.width_words),
            _ => 0,
        });
        for (what, needed, there) in [
            (
                "instructions",
                tables.instrs.len() as u64,
                room.instructions,
            ),
            ("matrices", tables.matrices.len() as u64, room.matrices),
            ("stacks", tables.banks.len() as u64, room.stacks),
            ("channels", tables.channels.into(), room.channels),
            (
                "columns of a matrix",
                columns.max().unwrap_or_default(),
                room.matrix_columns,
            ),
            ("partial sums", longest(|s| s.parts), room.part_values),
            (
                "sums in a row",
                positions.max(chunks).max(passes.max().unwrap_or_default()),
                1 << room.accumulator_levels,
            ),
            (
                "groups of a sum",
                sums.max().unwrap_or_default(),
                1 << room.sum_levels,
            ),
            (
                "groups of a matrix",
                groups.max().unwrap_or_default(),
                1 << room.statistics_levels,
            ),
        ] {
            if needed > there {
                return Err(format!("{needed} {what}: the build has room for {there}"));
            }
        }
        Ok(())
    }

    /// The generated package of the build.
    #[must_use]
    pub fn package(&self) -> String {
        package(&self.arch, &self.room)
    }
}
