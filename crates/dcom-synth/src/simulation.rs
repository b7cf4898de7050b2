//! The netlist against the RTL on random inputs, both in Verilator.
//!
//! yosys 0.23 takes some SystemVerilog otherwise than it is written without a word (it drops the
//! dimensions of packed arrays). Only another reader of the same source can tell.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::design::Design;
use crate::liberty::ClockGate;
use crate::script::{CELL_MODELS, CLOCK_GATE_MODEL, TOP, VECTORS};

/// Cycles that are compared. Multipliers and adders alone are checked exhaustively at their corners by
/// `dcom-cosim`; here a misread source has to show, which it does in the first few.
pub(crate) const CYCLES: u64 = 20_000;

/// Cycles before the comparison: what the registers hold at first is not defined.
const WARM_UP: u64 = 64;

/// Files of the comparison.
pub(crate) const BENCH: &str = "compare.sv";
pub(crate) const MAIN: &str = "compare.cpp";

/// A port of the netlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) width: u64,
    pub(crate) is_input: bool,
}

/// Whether Verilator is there to compare with.
pub(crate) fn is_installed() -> bool {
    let output = Command::new("verilator").arg("--version").output();
    output.is_ok_and(|o| o.status.success())
}

/// Ports in the netlist that yosys wrote, whose names are those of the RTL.
pub(crate) fn ports(netlist: &str) -> Result<Vec<Port>, String> {
    let start = netlist
        .find(&format!("module {TOP}("))
        .ok_or_else(|| format!("no module {TOP} in the netlist"))?;
    let body = netlist[start..]
        .split("endmodule")
        .next()
        .unwrap_or_default();
    let mut ports = Vec::new();
    for line in body.lines() {
        let line = line.trim().trim_end_matches(';');
        let (is_input, rest) = match (line.strip_prefix("input "), line.strip_prefix("output ")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => continue,
        };
        let (width, name) = match rest.strip_prefix('[').and_then(|r| r.split_once(":0] ")) {
            Some((high, name)) => (
                high.parse::<u64>().map_err(|_| format!("{line:?}"))? + 1,
                name,
            ),
            None => (1, rest),
        };
        ports.push(Port {
            name: name.trim().to_owned(),
            width,
            is_input,
        });
    }
    if ports.iter().all(|p| p.is_input) {
        return Err("the netlist has no outputs".into());
    }
    Ok(ports)
}

/// The library's clock gate, which Liberty describes by a state table that yosys does not read.
pub(crate) fn clock_gate_model(cell: &str, pins: &ClockGate) -> String {
    let ClockGate {
        clock,
        enable,
        test,
        output,
    } = pins;
    let (test_port, test_or) = test.as_ref().map_or_else(Default::default, |t| {
        (format!(", input logic {t}"), format!(" | {t}"))
    });
    format!(
        "module {cell}(input logic {clock}, input logic {enable}{test_port}, output logic {output});
  logic enable;
  /* verilator lint_off LATCH */
  always_latch if (!{clock}) enable = {enable}{test_or};
  /* verilator lint_on LATCH */
  assign {output} = {clock} & enable;
endmodule
"
    )
}

/// A bench that counts the cycles in which an output differs.
pub(crate) fn bench(design: &Design, ports: &[Port]) -> String {
    let parameters: Vec<_> = design
        .parameters
        .iter()
        .map(|(name, value)| format!(".{name}({})", design.value_text(name, *value)))
        .collect();
    let mut declarations = String::new();
    let mut stimuli = String::new();
    let mut differs = vec!["1'b0".to_owned()];
    let (mut rtl, mut netlist) = (Vec::new(), Vec::new());
    for Port {
        name,
        width,
        is_input,
    } in ports
    {
        let range = format!("[{}:0]", width - 1);
        if name == "clk_i" || name == "rst_ni" {
            rtl.push(format!(".{name}"));
            netlist.push(format!(".{name}"));
            continue;
        }
        if *is_input {
            let words = width.div_ceil(32);
            writeln!(declarations, "  logic [{}:0] random_{name};\n  logic {range} {name};\n  assign {name} = random_{name}{range};", 32 * words - 1)
                .expect("writing to a string");
            writeln!(stimuli, "    for (int i = 0; i < {words}; i++) random_{name}[32*i+:32] <= next(random_{name}[32*i+:32]);")
                .expect("writing to a string");
            rtl.push(format!(".{name}"));
            netlist.push(format!(".{name}"));
        } else {
            writeln!(declarations, "  logic {range} rtl_{name}, netlist_{name};")
                .expect("writing to a string");
            differs.push(format!("rtl_{name} != netlist_{name}"));
            rtl.push(format!(".{name}(rtl_{name})"));
            netlist.push(format!(".{name}(netlist_{name})"));
        }
    }
    format!(
        "module compare(input logic clk_i, input logic rst_ni, output int differing_o);
  // All patterns, few ones, few zeros, and small changes, for sums that cancel.
  function automatic logic [31:0] next(logic [31:0] last);
    logic [31:0] a, b;
    a = $urandom;
    b = $urandom;
    case ($urandom % 4)
      0:       next = a;
      1:       next = a & b;
      2:       next = a | b;
      default: next = last ^ (a & b & $urandom & $urandom);
    endcase
  endfunction
{declarations}  {top} #({parameters}) i_rtl ({rtl});
  {TOP} i_netlist ({netlist});
  int cycle = 0;
  always_ff @(posedge clk_i) begin
{stimuli}    cycle <= cycle + 1;
    if (cycle > {WARM_UP} && ({differs})) differing_o <= differing_o + 1;
  end
endmodule
",
        top = design.top,
        parameters = parameters.join(", "),
        rtl = rtl.join(", "),
        netlist = netlist.join(", "),
        differs = differs.join(" || "),
    )
}

/// The program around the bench: a reset, then the cycles, then the number of differences.
pub(crate) fn main_program() -> String {
    format!(
        "#include <cstdio>
#include \"Vcompare.h\"
int main() {{
  VerilatedContext context;
  context.randSeed(1);
  Vcompare top(&context);
  for (int half = 0; half < 2 * ({CYCLES} + {WARM_UP}); half++) {{
    top.clk_i = half & 1;
    top.rst_ni = half > 8;
    top.eval();
  }}
  std::printf(\"differing %d\\n\", top.differing_o);
}}
"
    )
}

/// Verilator's command for the bench, to be run in the folder of the netlist.
pub(crate) fn build(rtl: &Path) -> Command {
    let mut command = Command::new("verilator");
    command
        .args([
            "--cc",
            "--exe",
            "--build",
            // Warnings on a netlist say nothing; the RTL is checked with all of them by a test.
            "-Wno-fatal",
            "-Wno-lint",
            "-Wno-style",
            "--x-initial",
            "0",
        ])
        .args([
            "-O3",
            "-fno-reloop",
            "--top-module",
            "compare",
            // Not `compare`: the C++ library includes a file of that name.
            "-o",
            "bench",
            "--Mdir",
            "bench",
        ])
        .args(["-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"])
        .arg(format!("-I{}", rtl.join("src").display()))
        .arg(format!("-I{}", rtl.join("synth").display()))
        .arg(rtl.join("synth/cluster_pkg.sv"))
        .args([CELL_MODELS, CLOCK_GATE_MODEL, VECTORS, BENCH, MAIN]);
    command
}

/// Differing cycles, from what the bench prints.
pub(crate) fn differing(output: &str) -> Result<u64, String> {
    let number = output.lines().find_map(|l| l.strip_prefix("differing "));
    number
        .and_then(|n| n.parse().ok())
        .ok_or_else(|| format!("no count of differences in {output:?}"))
}
