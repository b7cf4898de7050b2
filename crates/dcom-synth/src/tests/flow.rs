//! What the tools are told; and one small unit through them, where they are installed, with made-up cells (`cells.lib`).

use std::fmt::Display;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use crate::design::{Design, Group, Mapping, designs};
use crate::error::SynthError;
use crate::flow::{Flow, Tools};
use crate::liberty::Liberty;
use crate::script;
use crate::tests::liberty::tiny;

fn rtl() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rtl")
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = designs().into_iter().map(|d| d.name).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// The library's cells, not names of one library, are in the scripts.
#[test]
fn scripts_use_the_cells_of_the_library() {
    let design = designs()
        .into_iter()
        .find(|d| d.name == "add_fp32_2")
        .expect("a unit");
    let text = script::yosys(&design, Mapping::Area, &tiny(), Path::new("rtl")).expect("cells");
    assert!(text.contains("chparam -set WIDTH 32 fp_add\n"));
    assert!(text.contains("chparam -set LATENCY 2 fp_add\n"));
    assert!(text.contains("hilomap -singleton -hicell HIGH Z -locell LOW ZN\n"));
    assert!(text.contains("-script +"));
    let text = script::yosys(&design, Mapping::Default, &tiny(), Path::new("rtl")).expect("cells");
    assert!(!text.contains("-script +"));
    let gate = script::clock_gate(&tiny()).expect("a gate");
    assert!(gate.contains("GATE i_gate (.CLK(clk_i), .E(enable_i), .TE(1'b0), .Q(clk_o))"));
}

/// Cells of no technology.
fn cells() -> Liberty {
    let text = include_str!("cells.lib").to_owned();
    Liberty::parse("cells.lib".into(), text).expect("a library of the project")
}

/// The tools; without them a line on what is left out, once, or a failure where `DCOM_REQUIRE_TOOLS` is 1.
///
/// The line goes past the capture of the output of tests that pass: `eprintln!` would not be seen.
fn tools() -> Option<Tools> {
    static SAID: Once = Once::new();
    let left_out = |why: &dyn Display| {
        let line = format!("left out: synthesis: {why}");
        let required = std::env::var("DCOM_REQUIRE_TOOLS").is_ok_and(|v| v == "1");
        assert!(!required, "DCOM_REQUIRE_TOOLS=1, but {line}");
        SAID.call_once(|| writeln!(std::io::stderr(), "\n{line}").expect("somebody listens"));
        None
    };
    match Tools::find() {
        Ok(tools) if tools.verilator => Some(tools),
        Ok(_) => left_out(&"Verilator is not installed (package `verilator`), or does not run"),
        Err(error) => left_out(&error),
    }
}

fn run(top: &'static str, rtl: &Path) -> Option<Result<crate::table::Result, SynthError>> {
    let (tools, liberty) = (tools()?, cells());
    let folder = tempfile::tempdir().expect("a folder");
    let flow = Flow {
        tools: &tools,
        liberty: &liberty,
        rtl,
        work: folder.path(),
        wire_ff: 0.3,
    };
    let design = Design {
        name: top.into(),
        group: Group::Unit,
        top,
        parameters: vec![("WIDTH", 3), ("LATENCY", 2)],
    };
    Some(flow.run(&design, Mapping::Area))
}

/// What yosys takes, in every configuration that it takes, with all of Verilator's warnings.
#[test]
fn every_design_is_free_of_warnings() {
    if tools().is_none() {
        return;
    }
    let (rtl, folder) = (rtl(), tempfile::tempdir().expect("a folder"));
    let wrapper = folder.path().join("linted.sv");
    for design in designs() {
        let parameters: Vec<_> = design
            .parameters
            .iter()
            .map(|(name, value)| format!(".{name}({})", design.value_text(name, *value)))
            .collect();
        // Verilator takes no enumeration from its command line, and no recursive module as the top one.
        let text = format!(
            "/* verilator lint_off PINMISSING */  // nothing is connected: the design alone is checked\n\
             module linted;\n  {} #({}) i_design ();\nendmodule\n",
            design.top,
            parameters.join(", ")
        );
        std::fs::write(&wrapper, text).expect("written");
        let output = Command::new("verilator")
            .args(["--lint-only", "-Wall", "--top-module", "linted"])
            .args(["-y".into(), rtl.join("src"), "-y".into(), rtl.join("synth")])
            .arg(rtl.join("synth/cluster_pkg.sv"))
            .arg(&wrapper)
            .output()
            .expect("Verilator runs");
        let warnings = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}:\n{warnings}", design.name);
    }
}

/// Two rows of three registers are six flops and no logic but what ties their resets.
#[test]
fn a_small_unit_goes_through_the_tools() {
    let Some(result) = run("delay", &rtl()) else {
        return;
    };
    let row = result.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((row.flops, row.latches, row.clock_gates), (6, 0, 0));
    assert!(row.sequential_um2 > 0.0 && row.combinational_um2 < 0.1 * row.sequential_um2);
    assert!(row.period_ps > 0.0 && row.period_wire_ps >= row.period_ps);
    assert!(row.compared_cycles > 0, "netlist against RTL");
}

/// What yosys reads otherwise than it is written is seen by the simulation: '1 in a typed parameter is
/// 1 to yosys 0.23. A latch and a loop are refused as well.
#[test]
fn wrong_netlists_are_refused() {
    for (name, body, expected) in [
        (
            "misread",
            "localparam logic [WIDTH-1:0] ALL = '1;
             always_ff @(posedge clk_i) data_o <= data_i ^ ALL;",
            "differs from the rtl",
        ),
        (
            "latch",
            "/* verilator lint_off LATCH */ always_latch if (clk_i) data_o = data_i;",
            "latch",
        ),
        (
            "loop",
            "logic [WIDTH-1:0] x; assign x = ~(data_i & x);
             always_ff @(posedge clk_i) data_o <= x;",
            "loop",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("rtl");
        for part in ["src", "synth"] {
            std::fs::create_dir_all(copy.join(part)).expect("a folder");
            for entry in std::fs::read_dir(rtl().join(part)).expect("the RTL") {
                let entry = entry.expect("readable");
                std::fs::copy(entry.path(), copy.join(part).join(entry.file_name()))
                    .expect("a copy");
            }
        }
        let module = format!(
            "module delay #(parameter int unsigned WIDTH = 1, parameter int unsigned LATENCY = 1) (
               input logic clk_i, input logic [WIDTH-1:0] data_i, output logic [WIDTH-1:0] data_o);
             {body}
             endmodule\n"
        );
        std::fs::write(copy.join("src/delay.sv"), module).expect("written");
        let Some(result) = run("delay", &copy) else {
            return;
        };
        let error = result.expect_err(name).to_string();
        assert!(error.to_lowercase().contains(expected), "{name}: {error}");
    }
}
