//! The validated machine: plain numbers, cheap to copy, with the sizes that follow from them.

use std::path::Path;

use dcom_base::{Rate, log2_ceil};
use dcom_config::{ConfigError, Source};
use dcom_fp::Accumulate;

use crate::params::{ArchParams, BankPorts};

/// A machine that passed validation. Counts are in the unit their name says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Arch {
    /// Name for reports.
    pub name: String,
    /// Cluster columns of the array.
    pub columns: u64,
    /// Clusters per column.
    pub rows: u64,
    /// Clock (MHz).
    pub clock_mhz: u64,
    /// One cluster.
    pub cluster: Cluster,
    /// One memory bank.
    pub bank: Bank,
    /// The network that sums over the clusters of a partition.
    pub network: Network,
    /// The global broadcast memory.
    pub broadcast: Broadcast,
    /// The scalar unit.
    pub scalar: Scalar,
    /// The memory that A is streamed from.
    pub memory: Memory,
    /// The link over which A arrives and the factors leave.
    pub link: Link,
    /// The unit that takes statistics of A as it arrives.
    pub ingest: Ingest,
    /// The small SVD of the bidiagonal matrix.
    pub svd: SmallSvd,
    /// Limits of the sequencer.
    pub sequencer: Sequencer,
    /// Hash of the parameters, for result files.
    pub hash: String,
}

/// One cluster: `lanes_y` rows of `lanes_x` multipliers, row and column trees, one buffer.
#[derive(Clone, Copy, Debug)]
pub struct Cluster {
    /// Lanes per row.
    pub lanes_x: u64,
    /// Rows of lanes.
    pub lanes_y: u64,
    /// Precision of products and sums.
    pub accumulate: Accumulate,
    /// Buffer capacity (bytes).
    pub buffer_bytes: u64,
    /// Elements per operand that the lanes read from the buffer in a cycle.
    pub buffer_read_elements: u64,
    /// Elements per cycle that the buffer takes from the column bus.
    pub ingest_elements: u64,
    /// Buffer read latency (cycles).
    pub buffer_read_cycles: u64,
    /// Buffer write latency (cycles).
    pub buffer_write_cycles: u64,
    /// Multiplier latency (cycles).
    pub multiply_cycles: u64,
    /// Latency of an fp16 addition (cycles).
    pub add16_cycles: u64,
    /// Latency of an fp32 addition (cycles).
    pub add32_cycles: u64,
}

/// One memory bank with its port onto the column bus.
#[derive(Clone, Copy, Debug)]
pub struct Bank {
    /// Cluster columns that share a bank.
    pub columns: u64,
    /// Capacity (bytes).
    pub capacity_bytes: u64,
    /// fp16 elements that the port moves in a cycle (one beat).
    pub port_elements: u64,
    /// One port for reads and writes, or one each.
    pub ports: BankPorts,
    /// Read latency (cycles).
    pub read_cycles: u64,
    /// Write latency (cycles).
    pub write_cycles: u64,
}

/// The network that sums over the clusters of a partition.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// Latency of one level or link (cycles).
    pub hop_cycles: u64,
    /// Words that a partition's network takes from each cluster in a cycle.
    pub width_words: u64,
}

/// The global broadcast memory. A word holds one fp16 or fp32 value.
#[derive(Clone, Copy, Debug)]
pub struct Broadcast {
    /// Capacity (words).
    pub capacity_words: u64,
    /// Words per cycle, each way.
    pub width_words: u64,
    /// Partitions that can write a partial sum in the same cycle.
    pub write_ports: u64,
    /// Write latency (cycles).
    pub write_cycles: u64,
    /// Read latency (cycles).
    pub read_cycles: u64,
}

/// The scalar unit (fp32).
#[derive(Clone, Copy, Debug)]
pub struct Scalar {
    /// Registers.
    pub registers: u64,
    /// Latency of multiplication, maximum, comparison, move and exponent (cycles).
    pub simple_cycles: u64,
    /// Time of a division, not pipelined (cycles).
    pub divide_cycles: u64,
    /// Time of a square root, not pipelined (cycles).
    pub sqrt_cycles: u64,
}

/// The memory that A is streamed from.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Bandwidth, exact.
    pub rate: Rate,
    /// Capacity (bytes).
    pub capacity_bytes: u64,
    /// Latency at the start of a stream that prefetching does not hide (cycles).
    pub exposed_latency_cycles: u64,
}

/// The link to the host (a GPU), per direction.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// Bandwidth per direction, exact.
    pub rate: Rate,
    /// Latency (cycles).
    pub latency_cycles: u64,
}

/// The statistics unit on the incoming link.
#[derive(Clone, Copy, Debug)]
pub struct Ingest {
    /// Elements per cycle.
    pub width_elements: u64,
}

/// The SVD of the K x K bidiagonal matrix.
#[derive(Clone, Copy, Debug)]
pub struct SmallSvd {
    /// Latency that other prompts' work can hide: round trip, launch (cycles).
    pub round_trip_cycles: u64,
    /// Time of the computation itself per `K^3`, in thousandths of a cycle.
    pub millicycles_per_k3: u64,
}

/// Limits of the sequencer.
#[derive(Clone, Copy, Debug)]
pub struct Sequencer {
    /// From issue to the first action of a unit (cycles).
    pub decode_cycles: u64,
    /// Vector layouts.
    pub layouts: u64,
    /// Cluster-buffer regions.
    pub buffer_regions: u64,
    /// Vectors in banks that have a busy bit.
    pub bank_vectors: u64,
    /// Regions of the global broadcast memory.
    pub global_regions: u64,
    /// Registers for the partial sums of one vector pair, each as wide as the machine.
    pub partial_registers: u64,
    /// Predicates.
    pub predicates: u64,
}

impl Arch {
    /// Reads and validates a machine description.
    ///
    /// # Errors
    /// File, line, key, value and range of what is wrong.
    pub fn read(path: &Path) -> Result<Arch, ConfigError> {
        Arch::new(&ArchParams::parse(Source::read(path)?)?)
    }

    /// Validates what single ranges cannot: relations between parameters.
    ///
    /// # Errors
    /// The key whose value contradicts another one, with its place in the file.
    pub fn new(p: &ArchParams) -> Result<Arch, ConfigError> {
        let clock_mhz = u64::from(p.clock_mhz);
        let arch = Arch {
            name: p.name.clone(),
            columns: p.columns.into(),
            rows: p.rows.into(),
            clock_mhz,
            cluster: Cluster {
                lanes_x: p.lanes_x.into(),
                lanes_y: p.lanes_y.into(),
                accumulate: p.accumulate,
                buffer_bytes: p.buffer_bytes,
                buffer_read_elements: p.buffer_read_elements.into(),
                ingest_elements: p.ingest_elements.into(),
                buffer_read_cycles: p.buffer_read_cycles.into(),
                buffer_write_cycles: p.buffer_write_cycles.into(),
                multiply_cycles: p.multiply_cycles.into(),
                add16_cycles: p.add16_cycles.into(),
                add32_cycles: p.add32_cycles.into(),
            },
            bank: Bank {
                columns: p.bank_columns.into(),
                capacity_bytes: p.bank_capacity_bytes,
                port_elements: p.bank_port_elements.into(),
                ports: p.bank_ports,
                read_cycles: p.bank_read_cycles.into(),
                write_cycles: p.bank_write_cycles.into(),
            },
            network: Network {
                hop_cycles: p.hop_cycles.into(),
                width_words: p.network_width_words.into(),
            },
            broadcast: Broadcast {
                capacity_words: p.broadcast_capacity_words.into(),
                width_words: p.broadcast_width_words.into(),
                write_ports: p.broadcast_write_ports.into(),
                write_cycles: p.broadcast_write_cycles.into(),
                read_cycles: p.broadcast_read_cycles.into(),
            },
            scalar: Scalar {
                registers: p.scalar_registers.into(),
                simple_cycles: p.scalar_simple_cycles.into(),
                divide_cycles: p.scalar_divide_cycles.into(),
                sqrt_cycles: p.scalar_sqrt_cycles.into(),
            },
            memory: Memory {
                rate: rate(p.memory_bandwidth, clock_mhz),
                capacity_bytes: p.memory_capacity_bytes,
                exposed_latency_cycles: p.memory_exposed_latency_cycles.into(),
            },
            link: Link {
                rate: rate(p.link_bandwidth, clock_mhz),
                latency_cycles: p.link_latency_cycles.into(),
            },
            ingest: Ingest {
                width_elements: p.ingest_width_elements.into(),
            },
            svd: SmallSvd {
                round_trip_cycles: p.svd_round_trip_cycles.into(),
                millicycles_per_k3: p.svd_millicycles_per_k3.into(),
            },
            sequencer: Sequencer {
                decode_cycles: p.decode_cycles.into(),
                layouts: p.layouts.into(),
                buffer_regions: p.buffer_regions.into(),
                bank_vectors: p.bank_vectors.into(),
                global_regions: p.global_regions.into(),
                partial_registers: p.partial_registers.into(),
                predicates: p.predicates.into(),
            },
            hash: p.hash(),
        };
        if arch.bank.columns > arch.columns {
            return Err(p.error_at(
                "bank.columns",
                format!(
                    "a bank cannot serve {} columns of an array of {}",
                    arch.bank.columns, arch.columns
                ),
                Some("at most array.columns".to_owned()),
            ));
        }
        if arch.buffer_rows() == 0 {
            return Err(p.error_at(
                "cluster.buffer_bytes",
                format!(
                    "smaller than one row of {} bytes (one fp16 element per lane)",
                    arch.buffer_row_bytes()
                ),
                Some("at least 2 x cluster.lanes_x x cluster.lanes_y bytes".to_owned()),
            ));
        }
        if arch.bank_rows() == 0 {
            return Err(p.error_at(
                "bank.capacity_bytes",
                format!(
                    "smaller than one row of {} bytes (one beat of the port)",
                    arch.bank.port_elements * 2
                ),
                Some("at least 2 x bank.port_elements bytes".to_owned()),
            ));
        }
        Ok(arch)
    }

    /// Clusters of the array.
    #[must_use]
    pub fn clusters(&self) -> u64 {
        self.columns * self.rows
    }

    /// Lanes of one cluster.
    #[must_use]
    pub fn lanes(&self) -> u64 {
        self.cluster.lanes_x * self.cluster.lanes_y
    }

    /// Memory banks; the last one serves fewer columns when the columns do not divide evenly.
    #[must_use]
    pub fn banks(&self) -> u64 {
        self.columns.div_ceil(self.bank.columns)
    }

    /// Bytes of one buffer row: one fp16 element per lane.
    #[must_use]
    pub fn buffer_row_bytes(&self) -> u64 {
        2 * self.lanes()
    }

    /// Whole rows in a cluster buffer.
    #[must_use]
    pub fn buffer_rows(&self) -> u64 {
        self.cluster.buffer_bytes / self.buffer_row_bytes()
    }

    /// Whole rows (beats) in a bank.
    #[must_use]
    pub fn bank_rows(&self) -> u64 {
        self.bank.capacity_bytes / (2 * self.bank.port_elements)
    }

    /// Latency of one addition in the trees (cycles).
    #[must_use]
    pub fn tree_add_cycles(&self) -> u64 {
        match self.cluster.accumulate {
            Accumulate::M16A16 => self.cluster.add16_cycles,
            Accumulate::M16A32 | Accumulate::X32 => self.cluster.add32_cycles,
        }
    }

    /// Latency of a row tree over `lanes_x` lanes (cycles).
    #[must_use]
    pub fn row_tree_cycles(&self) -> u64 {
        log2_ceil(self.cluster.lanes_x) * self.tree_add_cycles()
    }

    /// Latency of a column tree over `lanes_y` lanes (cycles).
    #[must_use]
    pub fn column_tree_cycles(&self) -> u64 {
        log2_ceil(self.cluster.lanes_y) * self.tree_add_cycles()
    }

    /// Latency of the pairwise accumulator over `n` chunk sums, counted from the last one (cycles).
    #[must_use]
    pub fn pairwise_cycles(&self, n: u64) -> u64 {
        log2_ceil(n) * self.tree_add_cycles()
    }
}

/// GB/s at a clock in MHz as an exact number of bytes per cycle; the schema keeps rates at whole MB/s.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the schema bounds the rate to 0.001..1e6 GB/s"
)]
fn rate(gb_per_s: f64, clock_mhz: u64) -> Rate {
    let mb_per_s = (gb_per_s * 1e3).round() as u64;
    Rate::new(mb_per_s.max(1), clock_mhz)
}
