//! The technology file: coefficients of the cells and memories, and the choices of the area model that the machine's
//! function leaves open.

use std::path::Path;

use dcom_config::{Coefficient, ConfigError, Source, schema};

/// How the row and column trees of a cluster are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trees {
    /// One set of row trees and one of column trees.
    Dual,
    /// One set, with multiplexers before it; a fused pass needs both at once and then takes two turns.
    Shared,
}

/// How the accumulators behind the trees are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accumulators {
    /// An adder per level: what the latencies of `docs/machine.md` need.
    PerLevel,
    /// One adder, and a register per level: enough additions per cycle, but sums wait for it at the end.
    Single,
    /// None: the paper names trees alone.
    None,
}

/// How many subtractors z - w a cluster has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subtractors {
    /// One per lane: what `axpy` needs at a chunk per cycle.
    PerLane,
    /// One per row of lanes, which is what the expanded correction needs; `axpy` would take `lanes_x` times as long.
    PerRow,
}

/// How elements of a buffer row come to their lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotators {
    /// Rows are read and written from any element on, as `rtl/src/buffer_memory.sv` does.
    Element,
    /// Every access begins at a row: no rotators.
    Aligned,
}

/// How the buffer gets its three read and two write ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BufferPorts {
    /// Interleaved macros with one read and one write port, regions placed so that accesses do not meet.
    Banked,
    /// A copy of all data per read port, each with two write ports.
    Replicated,
    /// One array of cells with five ports.
    Multiport,
    /// One macro with one port: the paper names one shared buffer. The lanes would wait for it.
    Single,
}

schema! {
    /// A technology with the choices of the area model, as read from a file under `configs/tech`. Units are in the names.
    pub struct Technology("technology", marks required) {
        /// Name of the technology, for reports.
        "technology.name" name: text;
        /// Feature size, for reports.
        "technology.feature_nm" feature_nm: f64 in 1.0..=1000.0, unit "nm";
        /// Supply voltage of the coefficients.
        "technology.voltage_v" voltage_v: f64 in 0.1..=5.0, unit "V";
        /// Temperature of the coefficients.
        "technology.temperature_c" temperature_c: f64 in -55.0..=150.0, unit "C";

        /// Supply voltage of the machine; dynamic energy goes with its square, leakage power with itself.
        "operating.voltage_v" operating_voltage_v: f64 in 0.1..=5.0, unit "V";
        /// Junction temperature of the machine; leakage goes with its exponential.
        "operating.temperature_c" operating_temperature_c: f64 in -55.0..=150.0, unit "C";

        /// Row and column trees of their own, or one set for both.
        "implementation.trees" trees: choice<Trees> { Dual: "dual", Shared: "shared" };
        /// An adder per level of an accumulator, one in all, or no accumulators.
        "implementation.accumulators" accumulators: choice<Accumulators> { PerLevel: "per_level", Single: "single", None: "none" };
        /// A subtractor per lane, or per row of lanes.
        "implementation.subtractors" subtractors: choice<Subtractors> { PerLane: "per_lane", PerRow: "per_row" };
        /// Rotators at the buffer, or accesses that begin at a row.
        "implementation.rotators" rotators: choice<Rotators> { Element: "element", Aligned: "aligned" };
        /// Levels of an accumulator: it takes sequences of up to two to this power.
        "implementation.accumulator_levels" accumulator_levels: u32 in 1..=32, unit "levels";
        /// How the buffer gets its ports.
        "implementation.buffer_ports" buffer_ports: choice<BufferPorts> { Banked: "banked", Replicated: "replicated", Multiport: "multiport", Single: "single" };
        /// Macros that a banked buffer is interleaved over.
        "implementation.buffer_macros" buffer_macros: u32 in 1..=1024, unit "macros";
        /// Columns of A whose sums the statistics unit holds.
        "implementation.statistics_columns" statistics_columns: u32 in 1..=1_000_000, unit "columns";

        /// Logic of an fp16 multiplier with fp16 result in one stage, registers apart.
        "multiply16.area_um2" multiply16_area: coefficient in 0.0..=1e6, unit "um2";
        /// Logic that each further stage adds to it.
        "multiply16.stage_area_um2" multiply16_stage_area: coefficient in 0.0..=1e6, unit "um2";
        /// Energy of a multiplication, its output register included.
        "multiply16.energy_fj" multiply16_energy: coefficient in 0.0..=1e6, unit "fJ";
        /// Logic of an fp16 multiplier with exact fp32 result in one stage, registers apart.
        "multiply32.area_um2" multiply32_area: coefficient in 0.0..=1e6, unit "um2";
        /// Logic that each further stage adds to it.
        "multiply32.stage_area_um2" multiply32_stage_area: coefficient in 0.0..=1e6, unit "um2";
        /// Energy of such a multiplication.
        "multiply32.energy_fj" multiply32_energy: coefficient in 0.0..=1e6, unit "fJ";
        /// Registers at a cut of a multiplier.
        "multiply16.stage_bits" multiply_stage_bits: coefficient in 0.0..=1000.0, unit "bits";
        /// Logic of an fp16 adder in one stage, registers apart.
        "add16.area_um2" add16_area: coefficient in 0.0..=1e6, unit "um2";
        /// Logic that each further stage adds to it.
        "add16.stage_area_um2" add16_stage_area: coefficient in 0.0..=1e6, unit "um2";
        /// Energy of an fp16 addition.
        "add16.energy_fj" add16_energy: coefficient in 0.0..=1e6, unit "fJ";
        /// Registers at a cut of an fp16 adder.
        "add16.stage_bits" add16_stage_bits: coefficient in 0.0..=1000.0, unit "bits";
        /// Logic of an fp32 adder in one stage, registers apart.
        "add32.area_um2" add32_area: coefficient in 0.0..=1e6, unit "um2";
        /// Logic that each further stage adds to it.
        "add32.stage_area_um2" add32_stage_area: coefficient in 0.0..=1e6, unit "um2";
        /// Energy of an fp32 addition.
        "add32.energy_fj" add32_energy: coefficient in 0.0..=1e6, unit "fJ";
        /// Registers at a cut of an fp32 adder.
        "add32.stage_bits" add32_stage_bits: coefficient in 0.0..=1000.0, unit "bits";
        /// Logic that turns fp16 into fp32.
        "convert.widen_area_um2" widen_area: coefficient in 0.0..=1e6, unit "um2";
        /// Logic that rounds fp32 to fp16.
        "convert.round_area_um2" round_area: coefficient in 0.0..=1e6, unit "um2";

        /// A two-input multiplexer for one bit.
        "logic.mux_area_um2" mux_area: coefficient in 0.0..=1e4, unit "um2";
        /// Energy of logic that is counted by its area alone, per um2 and use.
        "logic.energy_fj_per_um2" logic_energy: coefficient in 0.0..=1e4, unit "fJ/um2";
        /// Leakage power of logic and registers.
        "logic.leakage_nw_per_um2" logic_leakage: coefficient in 0.0..=1e6, unit "nW/um2";
        /// Share of a placed block that cells fill.
        "logic.placement_utilization" placement_utilization: coefficient in 0.01..=1.0;
        /// Exponent of the leakage per kelvin.
        "logic.leakage_exponent_per_k" leakage_exponent: coefficient in 0.0..=1.0, unit "1/K";

        /// A flip-flop.
        "register.area_um2" register_area: coefficient in 0.0..=1e4, unit "um2";
        /// Energy of a flip-flop that takes a random bit.
        "register.write_fj" register_write: coefficient in 0.0..=1e4, unit "fJ";
        /// Energy of a flip-flop's clock pin and its share of the clock tree, per cycle, gated most of the time.
        "register.clock_fj" register_clock: coefficient in 0.0..=1e4, unit "fJ";

        /// Area of a memory macro of 1 KiB, 16 bytes wide, one port.
        "sram.area_um2_at_1_kib" sram_area: coefficient in 0.0..=1e8, unit "um2";
        /// Exponent of the area over the capacity.
        "sram.area_exponent" sram_area_exponent: f64 in 0.5..=1.0;
        /// Largest macro; more are put beside each other.
        "sram.macro_kib" sram_macro_kib: f64 in 1.0..=65536.0, unit "KiB";
        /// Area that wide words add: this times (bytes / 16 - 1)^1.5 / KiB.
        "sram.width_area" sram_width_area: coefficient in 0.0..=100.0;
        /// Area that each port beyond the first adds, as a part of the whole.
        "sram.port_area" sram_port_area: coefficient in 0.0..=100.0;
        /// Share of a memory's place that its macros fill.
        "sram.placement_utilization" sram_utilization: coefficient in 0.01..=1.0;
        /// Read energy of a macro of `full_kib` and above, without the wires within the macro.
        "sram.read_fj_per_bit" sram_read: coefficient in 0.0..=1e6, unit "fJ/bit";
        /// Size below which the read energy goes with the root of the size.
        "sram.full_kib" sram_full_kib: f64 in 0.001..=65536.0, unit "KiB";
        /// Read energy of the wires within a macro, times the root of its bits.
        "sram.read_wire_fj_per_bit" sram_read_wire: coefficient in 0.0..=1e3, unit "fJ/bit";
        /// Write energy over read energy.
        "sram.write_factor" sram_write_factor: coefficient in 0.0..=100.0;
        /// Leakage power of memory.
        "sram.leakage_uw_per_kib" sram_leakage: coefficient in 0.0..=1e6, unit "uW/KiB";

        /// Energy of a wire with its repeaters, random data.
        "wire.energy_fj_per_bit_mm" wire_energy: coefficient in 0.0..=1e6, unit "fJ/bit/mm";
        /// Cell area that a wire takes: repeaters, and what it keeps from being used below.
        "wire.area_um2_per_bit_mm" wire_area: coefficient in 0.0..=1e6, unit "um2/bit/mm";

        /// Logic of one cluster's control: counters, addresses, timers.
        "control.cluster_area_um2" cluster_control_area: coefficient in 0.0..=1e8, unit "um2";
        /// Logic of the machine's sequencer beside its tables.
        "control.sequencer_area_um2" sequencer_area: coefficient in 0.0..=1e8, unit "um2";
        /// Energy of an instruction in the sequencer and its tables, without its way to the clusters.
        "control.instruction_pj" instruction_energy: coefficient in 0.0..=1e6, unit "pJ";
        /// Divider and square root of the scalar unit.
        "control.divider_area_um2" divider_area: coefficient in 0.0..=1e6, unit "um2";

        /// Energy of the memory that A is streamed from, interface included; not on the chip.
        "external.memory_pj_per_bit" memory_energy: coefficient in 0.0..=1e4, unit "pJ/bit";
        /// Energy of the link, both ends; not on the chip.
        "external.link_pj_per_bit" link_energy: coefficient in 0.0..=1e4, unit "pJ/bit";

        /// A100-class core: fetch, decode and scheduling of an instruction, per lane that executes it.
        "gpu.instruction_pj" gpu_instruction: coefficient in 0.0..=1e4, unit "pJ";
        /// A100-class core: time of a step that depends on the one before, beside its traffic.
        "gpu.step_us" gpu_step: coefficient in 0.0..=1e4, unit "us";
    }
}

/// The technology that the library carries: the paper's own cells.
const DEFAULT: &str = include_str!("../../../configs/tech/nangate15.toml");

impl Technology {
    /// Reads a technology file.
    ///
    /// # Errors
    /// File, line, key, value and range of what is wrong.
    pub fn read(path: &Path) -> Result<Technology, ConfigError> {
        Technology::parse(Source::read(path)?)
    }

    /// `configs/tech/nangate15.toml`, which is built in so that a sweep needs no technology file.
    ///
    /// # Panics
    /// Never: the tests parse the file.
    #[must_use]
    pub fn nangate15() -> Technology {
        Technology::parse(Source::new("configs/tech/nangate15.toml", DEFAULT))
            .expect("the built-in technology is valid")
    }

    /// Whether a key belongs to this schema.
    #[must_use]
    pub fn has_key(key: &str) -> bool {
        Technology::keys().iter().any(|info| info.path == key)
    }

    /// Every coefficient of the file by key.
    pub fn coefficients(&self) -> impl Iterator<Item = (&'static str, Coefficient)> + use<> {
        let entries: Vec<_> = self
            .entries()
            .into_iter()
            .map(|e| (e.path, e.value))
            .collect();
        entries.into_iter().filter_map(|(path, value)| match value {
            dcom_config::Value::Coefficient(coefficient) => Some((path, coefficient)),
            _ => None,
        })
    }
}
