//! Outputs as the tools print them.

use crate::output::{problems, statistics, timing};
use crate::simulation::{Port, differing, ports};

/// yosys 0.23, `stat -liberty` on a register.
const STATISTICS: &str = "
31. Printing statistics.

=== synthesized ===

   Number of wires:                781
   Number of wire bits:            781
   Number of public wires:          92
   Number of public wire bits:      92
   Number of memories:               0
   Number of memory bits:            0
   Number of processes:              0
   Number of cells:                 53
     AND2_X1                        15
     DFFRNQ_X1                      36
     TIEH                            1
     XOR2_X1                         1

   Chip area for module '\\synthesized': 50.916096

";

/// yosys 0.23, two runs of `check`.
const CHECKS: &str = "
23. Executing CHECK pass (checking for obvious problems).
Checking module synthesized...
Found and reported 0 problems.

30. Executing CHECK pass (checking for obvious problems).
Checking module synthesized...
Warning: Wire synthesized.\\product_o [1] is used but has no driver.
Found and reported 1 problems.
";

/// OpenSTA 2.0.17, the timing script, with the paths cut short.
const TIMING: &str = "OpenSTA 2.0.17 GITDIR-NOT Copyright (c) 2019, Parallax Software, Inc.
License GPLv3: GNU GPL version 3 <http://gnu.org/licenses/gpl.html>

period_ps 636.9696115477072
Startpoint: _1434_ (rising edge-triggered flip-flop clocked by clk)
Endpoint: _1417_ (rising edge-triggered flip-flop clocked by clk)
period_wire_ps 773.2428270268192
";

#[test]
fn cells_and_area_are_read() {
    let read = statistics(STATISTICS).expect("complete");
    assert_eq!(read.cells.len(), 4);
    assert_eq!(read.cells["DFFRNQ_X1"], 36);
    assert_eq!(read.area_um2, Some(50.916_096));
}

#[test]
fn statistics_that_do_not_add_up_are_refused() {
    let wrong = STATISTICS.replace("cells:                 53", "cells:                 54");
    assert_eq!(
        statistics(&wrong),
        Err("54 cells, but 53 are listed".into())
    );
    let twice = format!("{STATISTICS}{STATISTICS}");
    assert!(
        statistics(&twice)
            .expect_err("two modules")
            .contains("not flat")
    );
    assert!(statistics("").is_err());
}

#[test]
fn problems_of_both_checks_are_read() {
    let found = problems(CHECKS, 2).expect("two runs");
    assert_eq!(
        found,
        ["Wire synthesized.\\product_o [1] is used but has no driver."]
    );
    assert!(
        problems(CHECKS, 3).is_err(),
        "a check that did not run is no check"
    );
}

#[test]
fn periods_are_read() {
    let read = timing(TIMING).expect("complete");
    assert!((read.period_ps - 636.969_611).abs() < 1e-5);
    assert!((read.period_wire_ps - 773.242_827).abs() < 1e-5);
}

/// A loop, an error, no path at all: each is a refusal, not a period.
#[test]
fn doubtful_timing_is_refused() {
    let looped = format!("Warning: There is 1 combinational loop in the design.\n{TIMING}");
    assert!(timing(&looped).expect_err("a loop").contains("loop"));
    let unlinked = format!("Error: no network has been linked.\n{TIMING}");
    assert!(timing(&unlinked).is_err());
    assert!(timing(&TIMING.replace("636.9696115477072", "-1e+30")).is_err());
    assert!(timing(&TIMING.replace("period_wire_ps", "other")).is_err());
}

#[test]
fn ports_are_those_of_the_netlist() {
    let netlist = "module DFF(C, D, Q);\n  input C;\n  output Q;\nendmodule\n
module synthesized(clk_i, a_i, sum_o);\n  wire _0_;\n  input [15:0] a_i;\n  wire [15:0] a_i;
  input clk_i;\n  output [31:0] sum_o;\n  wire [31:0] sum_o;\nendmodule\n";
    let port = |name: &str, width, is_input| Port {
        name: name.into(),
        width,
        is_input,
    };
    let expected = vec![
        port("a_i", 16, true),
        port("clk_i", 1, true),
        port("sum_o", 32, false),
    ];
    assert_eq!(ports(netlist), Ok(expected));
    assert!(ports("module other(a);\nendmodule\n").is_err());
    assert_eq!(differing("differing 17\n"), Ok(17));
    assert!(differing("").is_err());
}
