//! The parameters of a machine file: one list from which reading, overriding and the reference
//! table in `docs/machine-parameters.md` derive.

use std::fmt;

use dcom_config::schema;
use dcom_fp::Accumulate;

/// Ports of a memory bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankPorts {
    /// One port that reads or writes.
    Shared,
    /// One port that reads, one that writes.
    ReadAndWrite,
}

impl fmt::Display for BankPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BankPorts::Shared => "1rw",
            BankPorts::ReadAndWrite => "1r1w",
        })
    }
}

schema! {
    /// Parameters of a machine, as read from a file under `configs/arch`.
    pub struct ArchParams("arch", marks required) {
        /// Name of the machine, for reports.
        "machine.name" name: text;
        /// Clock.
        "machine.clock_mhz" clock_mhz: u32 in 1..=100_000, unit "MHz";

        /// Cluster columns of the array.
        "array.columns" columns: u32 in 1..=1024, unit "columns";
        /// Clusters per column.
        "array.rows" rows: u32 in 1..=1024, unit "clusters";

        /// Multipliers per row of a cluster; the row trees sum over these.
        "cluster.lanes_x" lanes_x: u32 in 1..=256, unit "lanes";
        /// Rows of multipliers in a cluster; the column trees sum over these.
        "cluster.lanes_y" lanes_y: u32 in 1..=256, unit "lanes";
        /// Precision of products and sums: all fp16; fp16 products and fp32 sums; exact products and fp32 sums.
        "cluster.accumulate" accumulate: choice<Accumulate> { M16A16: "m16a16", M16A32: "m16a32", X32: "x32" };
        /// Capacity of a cluster's buffer.
        "cluster.buffer_bytes" buffer_bytes: u64 in 1..=1_073_741_824, unit "bytes";
        /// Elements per operand that the lanes read from the buffer in a cycle.
        "cluster.buffer_read_elements" buffer_read_elements: u32 in 1..=65_536, unit "elements/cycle";
        /// Elements that the buffer takes from the column bus in a cycle.
        "cluster.ingest_elements" ingest_elements: u32 in 1..=65_536, unit "elements/cycle";
        /// Latency of a buffer read.
        "cluster.buffer_read_cycles" buffer_read_cycles: u32 in 1..=1000, unit "cycles";
        /// Latency of a buffer write.
        "cluster.buffer_write_cycles" buffer_write_cycles: u32 in 1..=1000, unit "cycles";
        /// Latency of a multiplication.
        "cluster.multiply_cycles" multiply_cycles: u32 in 1..=1000, unit "cycles";
        /// Latency of an fp16 addition.
        "cluster.add16_cycles" add16_cycles: u32 in 1..=1000, unit "cycles";
        /// Latency of an fp32 addition.
        "cluster.add32_cycles" add32_cycles: u32 in 1..=1000, unit "cycles";

        /// Cluster columns that share one bank.
        "bank.columns" bank_columns: u32 in 1..=1024, unit "columns";
        /// Capacity of one bank.
        "bank.capacity_bytes" bank_capacity_bytes: u64 in 1..=1_099_511_627_776, unit "bytes";
        /// fp16 elements that a bank's port moves in a cycle.
        "bank.port_elements" bank_port_elements: u32 in 1..=65_536, unit "elements/cycle";
        /// One port that reads or writes, or one of each.
        "bank.ports" bank_ports: choice<BankPorts> { Shared: "1rw", ReadAndWrite: "1r1w" };
        /// Latency of a bank read.
        "bank.read_cycles" bank_read_cycles: u32 in 1..=1000, unit "cycles";
        /// Latency of a bank write.
        "bank.write_cycles" bank_write_cycles: u32 in 1..=1000, unit "cycles";

        /// Latency of one level (tree) or link (chain) between clusters of a partition.
        "network.hop_cycles" hop_cycles: u32 in 0..=1000, unit "cycles";
        /// Words that a partition's network takes from each of its clusters in a cycle.
        "network.width_words" network_width_words: u32 in 1..=65_536, unit "words/cycle";

        /// Capacity of the global broadcast memory.
        "broadcast.capacity_words" broadcast_capacity_words: u32 in 1..=268_435_456, unit "words";
        /// Words that the global broadcast memory takes and gives in a cycle.
        "broadcast.width_words" broadcast_width_words: u32 in 1..=65_536, unit "words/cycle";
        /// Partitions that can write a partial sum in the same cycle.
        "broadcast.write_ports" broadcast_write_ports: u32 in 1..=65_536, unit "words/cycle";
        /// Latency of a write to the global broadcast memory.
        "broadcast.write_cycles" broadcast_write_cycles: u32 in 1..=1000, unit "cycles";
        /// Latency of a read from the global broadcast memory.
        "broadcast.read_cycles" broadcast_read_cycles: u32 in 1..=1000, unit "cycles";

        /// fp32 registers of the scalar unit.
        "scalar.registers" scalar_registers: u32 in 8..=65_535, unit "registers";
        /// Latency of multiplication, maximum, comparison, move and exponent.
        "scalar.simple_cycles" scalar_simple_cycles: u32 in 1..=1000, unit "cycles";
        /// Time of a division (not pipelined).
        "scalar.divide_cycles" scalar_divide_cycles: u32 in 1..=1000, unit "cycles";
        /// Time of a square root (not pipelined).
        "scalar.sqrt_cycles" scalar_sqrt_cycles: u32 in 1..=1000, unit "cycles";

        /// Bandwidth of the memory that A is streamed from.
        "memory.bandwidth_gb_per_s" memory_bandwidth: f64 in 0.001..=1e6, unit "GB/s";
        /// Capacity of that memory.
        "memory.capacity_bytes" memory_capacity_bytes: u64 in 1..=1_125_899_906_842_624, unit "bytes";
        /// Latency at the start of a stream that prefetching does not hide.
        "memory.exposed_latency_cycles" memory_exposed_latency_cycles: u32 in 0..=1_000_000, unit "cycles";

        /// Bandwidth of the link to the host, per direction.
        "link.bandwidth_gb_per_s" link_bandwidth: f64 in 0.001..=1e6, unit "GB/s";
        /// Latency of the link.
        "link.latency_cycles" link_latency_cycles: u32 in 0..=10_000_000, unit "cycles";

        /// Elements per cycle that the statistics unit on the link takes.
        "ingest.width_elements" ingest_width_elements: u32 in 1..=65_536, unit "elements/cycle";

        /// Per prompt: host round trip, outlier scan and launch of the small SVD.
        "svd.round_trip_cycles" svd_round_trip_cycles: u32 in 0..=1_000_000_000, unit "cycles";
        /// Time of the small SVD's computation per K^3, in thousandths of a cycle.
        "svd.millicycles_per_k3" svd_millicycles_per_k3: u32 in 0..=1_000_000_000, unit "millicycles";

        /// From issue to the first action of a unit.
        "sequencer.decode_cycles" decode_cycles: u32 in 1..=1000, unit "cycles";
        /// Entries of the vector layout table.
        "sequencer.layouts" layouts: u32 in 1..=65_535, unit "entries";
        /// Cluster-buffer regions with a busy bit.
        "sequencer.buffer_regions" buffer_regions: u32 in 1..=65_535, unit "regions";
        /// Vectors in the banks with a busy bit.
        "sequencer.bank_vectors" bank_vectors: u32 in 1..=65_535, unit "vectors";
        /// Regions of the global broadcast memory with a busy bit.
        "sequencer.global_regions" global_regions: u32 in 1..=65_535, unit "regions";
        /// Registers for the partial sums of one vector pair (one value per slice).
        "sequencer.partial_registers" partial_registers: u32 in 1..=65_535, unit "registers";
        /// Predicate registers.
        "sequencer.predicates" predicates: u32 in 1..=255, unit "registers";
    }
}
