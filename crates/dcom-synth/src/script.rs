//! What yosys and OpenSTA are told.

use std::fmt::Write as _;
use std::path::Path;

use crate::design::{Design, Group, KEPT, Mapping, SOURCES, TILE_SOURCES};
use crate::error::SynthError;
use crate::liberty::Liberty;

/// Files of a run, in its own folder.
pub(crate) const CELLS: &str = "cells.lib";
pub(crate) const LOGIC: &str = "logic.lib";
pub(crate) const CLOCK_GATE: &str = "clock_gate.v";
pub(crate) const NETLIST: &str = "netlist.v";
pub(crate) const STATISTICS: &str = "statistics.txt";
pub(crate) const CHECKS: &str = "checks.txt";
pub(crate) const VECTORS: &str = "netlist_vectors.v";
pub(crate) const CELL_MODELS: &str = "cells.v";
pub(crate) const CLOCK_GATE_MODEL: &str = "clock_gate_model.sv";

/// Name of the wire load model, and of the top module in the netlist.
pub(crate) const WIRE_LOAD: &str = "per_fanout";
pub(crate) const TOP: &str = "synthesized";

/// Clock period of the timing run (ps); what is reported does not depend on it.
const PERIOD_PS: u32 = 10_000;

/// ABC for area. `amap` covers for area where `&nf` of the default script covers for delay first.
const AREA_SCRIPT: &str = "+strash;ifraig;scorr;dc2;strash;dch,-f;amap,-m;topo";

/// Warnings of yosys that mean it read the RTL otherwise than it is written.
pub(crate) const YOSYS_ERRORS: [&str; 2] = ["implicitly declared", "Resizing cell port"];

/// The clock gate of the library in the place of `rtl/synth/clock_gate.sv`.
pub(crate) fn clock_gate(liberty: &Liberty) -> Result<String, SynthError> {
    let (cell, pins) = liberty.clock_gate()?;
    let test = pins
        .test
        .as_ref()
        .map_or_else(String::new, |t| format!(", .{t}(1'b0)"));
    Ok(format!(
        "module clock_gate(input clk_i, input enable_i, output clk_o);\n  \
         {cell} i_gate (.{}(clk_i), .{}(enable_i){test}, .{}(clk_o));\nendmodule\n",
        pins.clock, pins.enable, pins.output
    ))
}

/// From RTL to a flat netlist of cells.
///
/// # Errors
/// The library has no constant drivers.
pub(crate) fn yosys(
    design: &Design,
    mapping: Mapping,
    liberty: &Liberty,
    rtl: &Path,
) -> Result<String, SynthError> {
    let mut script = format!("read_liberty -lib -ignore_miss_func {CELLS}\n");
    let mut line = |text: &str| writeln!(script, "{text}").expect("writing to a string");
    for file in SOURCES {
        line(&format!("read_verilog -sv {}/src/{file}.sv", rtl.display()));
    }
    for file in TILE_SOURCES {
        line(&format!(
            "read_verilog -sv {}/synth/{file}.sv",
            rtl.display()
        ));
    }
    line(&format!("read_verilog {CLOCK_GATE}"));
    // `hierarchy -chparam` of yosys 0.23 fails an assertion for some modules.
    for (name, value) in &design.parameters {
        line(&format!("chparam -set {name} {value} {}", design.top));
    }
    line(&format!("hierarchy -check -top {}", design.top));
    line(&format!("rename -top {TOP}"));
    if design.group == Group::Tile {
        for module in KEPT {
            line(&format!("setattr -mod -set keep_hierarchy 1 *{module}*"));
        }
    }
    line("synth -flatten -noabc");
    // Loops are only found in the generic gates: the cells of a library are black boxes.
    line(&format!("tee -o {CHECKS} check"));
    line(&format!("dfflibmap -liberty {CELLS}"));
    match mapping {
        Mapping::Area => line(&format!("abc -liberty {LOGIC} -script {AREA_SCRIPT}")),
        Mapping::Default => line(&format!("abc -liberty {LOGIC}")),
    }
    if design.group == Group::Tile {
        line("setattr -mod -unset keep_hierarchy *");
        line("flatten");
    }
    line("opt_clean -purge");
    let ((high, high_pin), (low, low_pin)) = (liberty.tie(true)?, liberty.tie(false)?);
    line(&format!(
        "hilomap -singleton -hicell {high} {high_pin} -locell {low} {low_pin}"
    ));
    line("opt_clean -purge");
    line(&format!("write_verilog -noattr {VECTORS}"));
    // OpenSTA 2.0 reads neither assignments of concatenations nor escaped names with brackets.
    line("splitnets -ports -format __");
    line("opt_clean -purge");
    line(&format!("tee -a {CHECKS} check"));
    line(&format!("tee -o {STATISTICS} stat -liberty {CELLS}"));
    line(&format!("write_verilog -noattr -noexpr {NETLIST}"));
    // What the cells do, for the simulation; the clock gate's state table is not read.
    let (gate, _) = liberty.clock_gate()?;
    line("design -reset");
    line(&format!("read_liberty -ignore_miss_func {CELLS}"));
    line(&format!("delete {gate}"));
    line(&format!("write_verilog -noattr {CELL_MODELS}"));
    Ok(script)
}

/// Minimum period without and with the wire load, and what of the netlist is not timed.
///
/// Inputs arrive with the clock edge, outputs are due at the next one; the clock is ideal and the
/// reset is no timing path.
pub(crate) fn sta() -> String {
    format!(
        "read_liberty {CELLS}
read_verilog {NETLIST}
link_design {TOP}
set_cmd_units -time ps -capacitance fF
set clocks [get_ports -quiet clk_i]
if {{[llength $clocks] == 0}} {{
  create_clock -name clk -period {PERIOD_PS}
}} else {{
  create_clock -name clk -period {PERIOD_PS} $clocks
}}
foreach input [all_inputs] {{
  if {{[get_full_name $input] ne \"clk_i\"}} {{ set_input_delay 0 -clock clk $input }}
}}
set_output_delay 0 -clock clk [all_outputs]
set reset [get_ports -quiet rst_ni]
if {{[llength $reset] != 0}} {{ set_false_path -from $reset }}
check_setup -loops -no_clock
puts \"period_ps [expr {PERIOD_PS} - [worst_slack -max]]\"
report_checks -path_delay max
set_wire_load_mode top
set_wire_load_model -name {WIRE_LOAD}
puts \"period_wire_ps [expr {PERIOD_PS} - [worst_slack -max]]\"
report_checks -path_delay max
"
    )
}
