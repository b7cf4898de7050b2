// A register that is clocked only when it is written.
module gated_register #(
  parameter int unsigned WIDTH = 16
) (
  input  logic             clk_i,
  input  logic             enable_i,
  input  logic [WIDTH-1:0] data_i,
  output logic [WIDTH-1:0] data_o
);

  logic clk;
  clock_gate i_gate (
    .clk_i,
    .enable_i,
    .clk_o(clk)
  );
  delay #(
    .WIDTH  (WIDTH),
    .LATENCY(1)
  ) i_register (
    .clk_i (clk),
    .data_i,
    .data_o
  );

endmodule
