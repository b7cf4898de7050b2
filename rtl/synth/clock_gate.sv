// Gated clock without glitches: the enable is held while the clock is high.
//
// The behaviour for simulation. `cargo xtask synth` puts the library's clock gate in its place.
module clock_gate (
  input  logic clk_i,
  input  logic enable_i,
  output logic clk_o
);

  logic enable;
  /* verilator lint_off LATCH */  // that is what a clock gate is
  always_latch if (!clk_i) enable = enable_i;
  /* verilator lint_on LATCH */
  assign clk_o = clk_i & enable;

endmodule
