// A weight-stationary systolic tile, to compare clusters with: one weight per element, activations go
// from left to right, partial sums from top to bottom. Every multiplier and adder has its output
// register.
//
// Weights are shifted in from the top. DOUBLE_BUFFERED: the next weights are shifted in beside those
// in use, and taken over when `take_i` says so.
module systolic_weight_stationary #(
  parameter int unsigned ROWS            = 8,
  parameter int unsigned COLUMNS         = 8,
  // 16: products and sums in fp16. 32: exact products, sums in fp32.
  parameter int unsigned WIDTH           = 16,
  parameter int unsigned ADD_LATENCY     = 1,
  parameter int unsigned DOUBLE_BUFFERED = 0
) (
  input  logic                     clk_i,
  input  logic                     load_i,
  input  logic                     take_i,
  input  logic [16*COLUMNS-1:0]    weights_i,
  input  logic                     valid_i,
  input  logic [16*ROWS-1:0]       activations_i,
  input  logic [WIDTH*COLUMNS-1:0] sums_i,
  output logic [16*ROWS-1:0]       activations_o,
  output logic [WIDTH*COLUMNS-1:0] sums_o
);

  // [row][column]: what enters the element there; one row and one column more for what leaves.
  logic [16*(ROWS+1)*COLUMNS-1:0]    weights;
  logic [WIDTH*(ROWS+1)*COLUMNS-1:0] sums;
  logic [16*ROWS*(COLUMNS+1)-1:0]    activations;

  assign weights[16*COLUMNS-1:0]                = weights_i;
  assign sums[WIDTH*COLUMNS-1:0]                = sums_i;
  assign sums_o                                 = sums[WIDTH*ROWS*COLUMNS+:WIDTH*COLUMNS];

  for (genvar r = 0; r < ROWS; r++) begin : gen_row
    assign activations[16*r*(COLUMNS+1)+:16] = activations_i[16*r+:16];
    assign activations_o[16*r+:16]           = activations[16*(r*(COLUMNS+1)+COLUMNS)+:16];
    for (genvar c = 0; c < COLUMNS; c++) begin : gen_element
      localparam int unsigned HERE  = r * COLUMNS + c;
      localparam int unsigned BELOW = HERE + COLUMNS;
      localparam int unsigned LEFT  = r * (COLUMNS + 1) + c;
      logic [15:0]      weight;
      logic [WIDTH-1:0] product;
      gated_register #(
        .WIDTH(16)
      ) i_weight (
        .clk_i,
        .enable_i(load_i),
        .data_i  (weights[16*HERE+:16]),
        .data_o  (weights[16*BELOW+:16])
      );
      if (DOUBLE_BUFFERED != 0) begin : gen_taken
        gated_register #(
          .WIDTH(16)
        ) i_taken (
          .clk_i,
          .enable_i(take_i),
          .data_i  (weights[16*BELOW+:16]),
          .data_o  (weight)
        );
      end else begin : gen_single
        logic unused_take;
        assign unused_take = take_i;
        assign weight = weights[16*BELOW+:16];
      end
      gated_register #(
        .WIDTH(16)
      ) i_activation (
        .clk_i,
        .enable_i(valid_i),
        .data_i  (activations[16*LEFT+:16]),
        .data_o  (activations[16*(LEFT+1)+:16])
      );
      fp16_multiply #(
        .EXACT  (WIDTH == 32),
        .LATENCY(1)
      ) i_multiply (
        .clk_i,
        .a_i       (activations[16*(LEFT+1)+:16]),
        .b_i       (weight),
        .exponent_i('0),
        .product_o (product)
      );
      fp_add #(
        .WIDTH  (WIDTH),
        .LATENCY(ADD_LATENCY)
      ) i_add (
        .clk_i,
        .a_i  (product),
        .b_i  (sums[WIDTH*HERE+:WIDTH]),
        .sum_o(sums[WIDTH*BELOW+:WIDTH])
      );
    end
  end

endmodule
