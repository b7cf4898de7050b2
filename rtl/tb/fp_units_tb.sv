// The arithmetic units side by side, for fp_units_tb.cpp; those of several cycles are in fp_divide_tb.
module fp_units_tb #(
  parameter int unsigned LATENCY = 3
) (
  input  logic               clk_i,
  input  logic [31:0]        a_i,
  input  logic [31:0]        b_i,
  input  logic signed [7:0]  exponent_i,  // of the products
  input  logic signed [20:0] power_i,     // of the scaled value
  output logic [15:0]        product_o,
  output logic [31:0]        exact_o,
  output logic [15:0]        sum16_o,
  output logic [31:0]        sum32_o,
  output logic [15:0]        rounded_o,
  output logic [31:0]        widened_o,
  output logic [31:0]        product32_o,
  output logic [31:0]        logarithm_o,
  output logic [15:0]        mantissa_o,
  output logic signed [7:0]  scale_o,
  output logic signed [7:0]  integer_o,
  output logic [15:0]        scaled_o
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
  logic [15:0]       rounded, mantissa, scaled;
  logic [31:0]       widened, product32, logarithm;
  logic signed [7:0] scale, power_of_two;
  fp_round i_round (
    .data_i(a_i),
    .data_o(rounded)
  );
  fp_widen i_widen (
    .data_i(a_i[15:0]),
    .data_o(widened)
  );
  fp32_multiply i_multiply32 (
    .a_i,
    .b_i,
    .product_o(product32)
  );
  fp32_log2 i_log2 (
    .data_i(a_i),
    .data_o(logarithm)
  );
  scalar_split i_split (
    .data_i    (a_i),
    .mantissa_o(mantissa),
    .exponent_o(scale)
  );
  fp32_to_exponent i_exponent (
    .data_i    (a_i),
    .exponent_o(power_of_two)
  );
  fp_scale_round i_scale (
    .data_i (a_i),
    .power_i,
    .data_o (scaled)
  );
  delay #(
    .WIDTH  (160),
    .LATENCY(LATENCY)
  ) i_delay (
    .clk_i,
    .data_i({rounded, widened, product32, logarithm, mantissa, scale, power_of_two, scaled}),
    .data_o({rounded_o, widened_o, product32_o, logarithm_o, mantissa_o, scale_o, integer_o, scaled_o})
  );

endmodule
