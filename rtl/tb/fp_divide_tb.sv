// Division and square root, for fp_divide_tb.cpp.
module fp_divide_tb #(
  parameter int unsigned CYCLES = 14
) (
  input  logic        clk_i,
  input  logic        start_i,
  input  logic [31:0] a_i,
  input  logic [31:0] b_i,
  output logic [31:0] quotient_o,
  output logic [31:0] root_o
);

  fp32_divide #(
    .CYCLES (CYCLES),
    .IS_ROOT(1'b0)
  ) i_divide (
    .clk_i,
    .start_i,
    .a_i,
    .b_i,
    .result_o(quotient_o)
  );
  fp32_divide #(
    .CYCLES (CYCLES),
    .IS_ROOT(1'b1)
  ) i_root (
    .clk_i,
    .start_i,
    .a_i,
    .b_i,
    .result_o(root_o)
  );

endmodule
