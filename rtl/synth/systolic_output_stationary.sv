// An output-stationary systolic tile, to compare clusters with: both operands travel, from left to
// right and from top to bottom, and every element adds its products up. The adder's output register
// is the accumulator; it is fed back with a latency of one addition.
//
// Sums are copied to registers of their own (`drain_i`) and shifted out downwards (`shift_i`) while the
// next ones are added up.
module systolic_output_stationary #(
  parameter int unsigned ROWS    = 8,
  parameter int unsigned COLUMNS = 8
) (
  input  logic                  clk_i,
  input  logic                  valid_i,
  input  logic                  first_i,  // the product starts a sum
  input  logic                  drain_i,
  input  logic                  shift_i,
  input  logic [16*ROWS-1:0]    a_i,
  input  logic [16*COLUMNS-1:0] b_i,
  output logic [16*COLUMNS-1:0] sums_o
);

  // What enters the element in row r and column c, and what leaves the last ones.
  logic [16*ROWS*(COLUMNS+1)-1:0] a;
  logic [16*(ROWS+1)*COLUMNS-1:0] b, drained;

  assign b[16*COLUMNS-1:0]       = b_i;
  assign drained[16*COLUMNS-1:0] = '0;
  assign sums_o                  = drained[16*ROWS*COLUMNS+:16*COLUMNS];

  for (genvar r = 0; r < ROWS; r++) begin : gen_row
    assign a[16*r*(COLUMNS+1)+:16] = a_i[16*r+:16];
    for (genvar c = 0; c < COLUMNS; c++) begin : gen_element
      localparam int unsigned HERE  = r * COLUMNS + c;
      localparam int unsigned BELOW = HERE + COLUMNS;
      localparam int unsigned LEFT  = r * (COLUMNS + 1) + c;
      logic [15:0] product, sum;
      gated_register #(
        .WIDTH(16)
      ) i_a (
        .clk_i,
        .enable_i(valid_i),
        .data_i  (a[16*LEFT+:16]),
        .data_o  (a[16*(LEFT+1)+:16])
      );
      gated_register #(
        .WIDTH(16)
      ) i_b (
        .clk_i,
        .enable_i(valid_i),
        .data_i  (b[16*HERE+:16]),
        .data_o  (b[16*BELOW+:16])
      );
      fp16_multiply #(
        .EXACT  (1'b0),
        .LATENCY(1)
      ) i_multiply (
        .clk_i,
        .a_i       (a[16*(LEFT+1)+:16]),
        .b_i       (b[16*BELOW+:16]),
        .exponent_i('0),
        .product_o (product)
      );
      fp_add #(
        .WIDTH  (16),
        .LATENCY(1)
      ) i_add (
        .clk_i,
        .a_i  (product),
        .b_i  (first_i ? 16'd0 : sum),
        .sum_o(sum)
      );
      gated_register #(
        .WIDTH(16)
      ) i_drain (
        .clk_i,
        .enable_i(drain_i | shift_i),
        .data_i  (drain_i ? sum : drained[16*HERE+:16]),
        .data_o  (drained[16*BELOW+:16])
      );
    end
  end

endmodule
