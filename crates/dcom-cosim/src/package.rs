//! The generated package `dcom_pkg`: sizes and latencies of a machine file, opcodes and operand words of the op
//! list, for the RTL of the whole machine.

use std::fmt::Write as _;

use dcom_arch::{Arch, BankPorts};
use dcom_fp::Accumulate;
use dcom_isa::op::OPS;

/// What a build has room for, beyond what the machine file limits.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Instructions of a program.
    pub instructions: u64,
    /// Stacks of bank vectors.
    pub stacks: u64,
    /// Matrices.
    pub matrices: u64,
    /// Columns of a matrix, whose sums the statistics unit keeps.
    pub matrix_columns: u64,
    /// Values of a register of partial sums.
    pub part_values: u64,
    /// Memory channels.
    pub channels: u64,
    /// Sums of up to 2^levels words: chunks, passes and tile positions.
    pub accumulator_levels: u64,
    /// The same for the groups of `sum`.
    pub sum_levels: u64,
    /// The same for the groups of a matrix that arrives.
    pub statistics_levels: u64,
}

impl Default for Room {
    /// Room for the programs of the tests.
    fn default() -> Room {
        Room {
            instructions: 2048,
            stacks: 16,
            matrices: 8,
            matrix_columns: 128,
            part_values: 64,
            channels: 8,
            accumulator_levels: 7,
            sum_levels: 6,
            statistics_levels: 14,
        }
    }
}

/// The source of the package.
#[must_use]
pub fn package(arch: &Arch, room: &Room) -> String {
    let c = &arch.cluster;
    let mode = match c.accumulate {
        Accumulate::M16A16 => 0,
        Accumulate::M16A32 => 1,
        Accumulate::X32 => 2,
    };
    let numbers = [
        ("COLUMNS", arch.columns),
        ("ROWS", arch.rows),
        ("BANK_COLUMNS", arch.bank.columns),
        ("MODE", mode),
        ("LANES_X", c.lanes_x),
        ("LANES_Y", c.lanes_y),
        ("BUFFER_ROWS", arch.buffer_rows()),
        ("READ_ELEMENTS", c.buffer_read_elements),
        ("INGEST_ELEMENTS", c.ingest_elements),
        ("PORT_ELEMENTS", arch.bank.port_elements),
        ("BANK_ROWS", arch.bank_rows()),
        ("SHARED_PORT", (arch.bank.ports == BankPorts::Shared).into()),
        ("NETWORK_WIDTH", arch.network.width_words),
        ("GLOBAL_WORDS", arch.broadcast.capacity_words),
        ("GLOBAL_WIDTH", arch.broadcast.width_words),
        ("WRITE_PORTS", arch.broadcast.write_ports),
        ("INGEST_WIDTH", arch.ingest.width_elements),
        ("REGISTERS", arch.scalar.registers),
        ("PREDICATES", arch.sequencer.predicates),
        ("LAYOUTS", arch.sequencer.layouts),
        ("BUFFER_REGIONS", arch.sequencer.buffer_regions),
        ("BANK_VECTORS", arch.sequencer.bank_vectors),
        ("GLOBAL_REGIONS", arch.sequencer.global_regions),
        ("PARTIALS", arch.sequencer.partial_registers),
        ("INSTRUCTIONS", room.instructions),
        ("STACKS", room.stacks),
        ("MATRICES", room.matrices),
        ("MATRIX_COLUMNS", room.matrix_columns),
        ("PART_VALUES", room.part_values),
        ("CHANNELS", room.channels),
        ("ACCUMULATOR_LEVELS", room.accumulator_levels),
        ("SUM_LEVELS", room.sum_levels),
        ("STATISTICS_LEVELS", room.statistics_levels),
        ("DECODE_CYCLES", arch.sequencer.decode_cycles),
        ("BUFFER_READ_CYCLES", c.buffer_read_cycles),
        ("BUFFER_WRITE_CYCLES", c.buffer_write_cycles),
        ("BANK_READ_CYCLES", arch.bank.read_cycles),
        ("BANK_WRITE_CYCLES", arch.bank.write_cycles),
        ("GLOBAL_READ_CYCLES", arch.broadcast.read_cycles),
        ("GLOBAL_WRITE_CYCLES", arch.broadcast.write_cycles),
        ("MULTIPLY_CYCLES", c.multiply_cycles),
        ("ADD16_CYCLES", c.add16_cycles),
        ("ADD32_CYCLES", c.add32_cycles),
        ("HOP_CYCLES", arch.network.hop_cycles),
        ("SIMPLE_CYCLES", arch.scalar.simple_cycles),
        ("DIVIDE_CYCLES", arch.scalar.divide_cycles),
        ("SQRT_CYCLES", arch.scalar.sqrt_cycles),
        ("LINK_CYCLES", arch.link.latency_cycles),
        ("EXPOSED_CYCLES", arch.memory.exposed_latency_cycles),
        ("SVD_ROUND_TRIP", arch.svd.round_trip_cycles),
        ("SVD_MILLICYCLES", arch.svd.millicycles_per_k3),
        ("BINARY_VERSION", dcom_isa::BINARY_VERSION.into()),
    ];
    let mut text = format!(
        "// Generated from the machine {} and the op list of dcom-isa; `cargo xtask rtl --package` writes it.\n\
         package dcom_pkg;\n\
         // Everything that programs may hold; ops with operands in the same places share names in the RTL.\n\
         /* verilator lint_off UNUSEDPARAM */\n",
        arch.name
    );
    let line = |text: &mut String, args: std::fmt::Arguments<'_>| {
        text.write_fmt(args).expect("writing to a string");
    };
    for (name, value) in numbers {
        line(
            &mut text,
            format_args!("  localparam int unsigned {name} = {value};\n"),
        );
    }
    for op in OPS {
        let name = op.mnemonic.to_uppercase();
        line(
            &mut text,
            format_args!(
                "  localparam logic [7:0] OP_{name} = 8'h{:02x};\n",
                op.opcode
            ),
        );
        // Opcode and phase, and the guard, come first.
        let mut word = 2;
        for ((operand, _), words) in op.operands.iter().zip(op.operand_words) {
            line(
                &mut text,
                format_args!(
                    "  localparam int unsigned {name}_{} = {word};\n",
                    operand.to_uppercase()
                ),
            );
            word += words;
        }
    }
    text += "  /* verilator lint_on UNUSEDPARAM */\nendpackage\n";
    text
}
