// The arithmetic units side by side, for fp_units_tb.cpp.
module fp_units_tb #(
  parameter int unsigned LATENCY = 3
) (
  input  logic              clk_i,
  input  logic [31:0]       a_i,
  input  logic [31:0]       b_i,
  input  logic signed [7:0] exponent_i,
  output logic [15:0]       product_o,
  output logic [31:0]       exact_o,
  output logic [15:0]       sum16_o,
  output logic [31:0]       sum32_o,
  output logic [15:0]       rounded_o,
  output logic [31:0]       widened_o
);

  fp16_multiply #(
    .EXACT  (1'b0),
    .LATENCY(LATENCY)
  ) i_multiply (
    .clk_i,
    .a_i      (a_i[15:0]),
    .b_i      (b_i[15:0]),
    .exponent_i,
    .product_o
  );
  fp16_multiply #(
    .EXACT  (1'b1),
    .LATENCY(LATENCY)
  ) i_multiply_exact (
    .clk_i,
    .a_i      (a_i[15:0]),
    .b_i      (b_i[15:0]),
    .exponent_i,
    .product_o(exact_o)
  );
  fp_add #(
    .WIDTH  (16),
    .LATENCY(LATENCY)
  ) i_add16 (
    .clk_i,
    .a_i  (a_i[15:0]),
    .b_i  (b_i[15:0]),
    .sum_o(sum16_o)
  );
  fp_add #(
    .WIDTH  (32),
    .LATENCY(LATENCY)
  ) i_add32 (
    .clk_i,
    .a_i,
    .b_i,
    .sum_o(sum32_o)
  );

  // These are combinational: registers, so that all results of a pair come together.
  logic [15:0] rounded;
  logic [31:0] widened;
  fp_round i_round (
    .data_i(a_i),
    .data_o(rounded)
  );
  fp_widen i_widen (
    .data_i(a_i[15:0]),
    .data_o(widened)
  );
  delay #(
    .WIDTH  (48),
    .LATENCY(LATENCY)
  ) i_delay (
    .clk_i,
    .data_i({rounded, widened}),
    .data_o({rounded_o, widened_o})
  );

endmodule
