// The arithmetic of a cluster alone, to compare tiles with: operand registers with gated clocks, one
// multiplier per lane, and trees. Every multiplier and adder has its output register.
//
// TREES: 0, row trees and one tree over their sums (dot); 1, trees that rows and columns share, in
// turn; 2, row trees and column trees. Not part of the machine: `lane_datapath` is the cluster's.
//
// Of shared trees with sides of different length, the first levels make sums over the shorter side,
// which are the results for it, and the last levels go on to the longer one. Powers of two only.
module cluster_tile #(
  parameter  int unsigned LANES_X     = 8,
  parameter  int unsigned LANES_Y     = 8,
  parameter  int unsigned TREES       = 2,
  // 16: products and sums in fp16. 32: exact products, sums in fp32.
  parameter  int unsigned WIDTH       = 16,
  parameter  int unsigned ADD_LATENCY = 1,
  localparam int unsigned LANES       = LANES_X * LANES_Y
) (
  input  logic                     clk_i,
  input  logic                     load_a_i,
  input  logic                     load_b_i,
  input  logic                     columns_i,  // shared trees: the products go to the column sums
  input  logic [LANES-1:0]         enable_i,
  input  logic [16*LANES-1:0]      a_i,
  input  logic [16*LANES-1:0]      b_i,
  output logic [WIDTH*LANES_Y-1:0] rows_o,     // TREES = 0: in the first word the sum of all
  output logic [WIDTH*LANES_X-1:0] columns_o
);

  localparam int unsigned SHORT = LANES_X < LANES_Y ? LANES_X : LANES_Y;
  localparam int unsigned LONG  = LANES_X < LANES_Y ? LANES_Y : LANES_X;

  // ---- Products ----

  logic [LANES-1:0]       enable;
  logic [WIDTH*LANES-1:0] products, transposed;
  delay #(
    .WIDTH  (LANES),
    .LATENCY(2)
  ) i_enable (
    .clk_i,
    .data_i(enable_i),
    .data_o(enable)
  );
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    logic [15:0]      a, b;
    logic [WIDTH-1:0] product;
    gated_register #(
      .WIDTH(16)
    ) i_a (
      .clk_i,
      .enable_i(load_a_i),
      .data_i  (a_i[16*i+:16]),
      .data_o  (a)
    );
    gated_register #(
      .WIDTH(16)
    ) i_b (
      .clk_i,
      .enable_i(load_b_i),
      .data_i  (b_i[16*i+:16]),
      .data_o  (b)
    );
    fp16_multiply #(
      .EXACT  (WIDTH == 32),
      .LATENCY(1)
    ) i_multiply (
      .clk_i,
      .a_i       (a),
      .b_i       (b),
      .exponent_i('0),
      .product_o (product)
    );
    assign products[WIDTH*i+:WIDTH] = enable[i] ? product : '0;
    // Lane i of the transposed tile, counted column by column.
    assign transposed[WIDTH*((i%LANES_X)*LANES_Y+i/LANES_X)+:WIDTH] = products[WIDTH*i+:WIDTH];
  end

  // ---- Sums ----

  if (TREES == 1) begin : gen_shared
    logic                         columns;
    logic [WIDTH*LANES-1:0]       operands;
    logic [WIDTH*LANES/SHORT-1:0] sums;
    logic [WIDTH*SHORT-1:0]       long_sums;
    delay #(
      .WIDTH  (1),
      .LATENCY(2)
    ) i_columns (
      .clk_i,
      .data_i(columns_i),
      .data_o(columns)
    );
    assign operands = columns ? transposed : products;
    for (genvar i = 0; i < LANES / SHORT; i++) begin : gen_tree
      adder_tree #(
        .OPERANDS   (SHORT),
        .WIDTH      (WIDTH),
        .ADD_LATENCY(ADD_LATENCY)
      ) i_tree (
        .clk_i,
        .operands_i(operands[WIDTH*SHORT*i+:WIDTH*SHORT]),
        .sum_o     (sums[WIDTH*i+:WIDTH])
      );
    end
    for (genvar i = 0; i < SHORT; i++) begin : gen_long
      adder_tree #(
        .OPERANDS   (LONG / SHORT),
        .WIDTH      (WIDTH),
        .ADD_LATENCY(ADD_LATENCY)
      ) i_tree (
        .clk_i,
        .operands_i(sums[WIDTH*(LONG/SHORT)*i+:WIDTH*(LONG/SHORT)]),
        .sum_o     (long_sums[WIDTH*i+:WIDTH])
      );
    end
    if (LANES_X > LANES_Y) begin : gen_wide
      assign {rows_o, columns_o} = {long_sums, sums};
    end else begin : gen_high
      assign {rows_o, columns_o} = {sums, long_sums};
    end
  end else begin : gen_rows
    logic                     unused_columns;
    logic [WIDTH*LANES_Y-1:0] sums;
    assign unused_columns = columns_i;
    for (genvar i = 0; i < LANES_Y; i++) begin : gen_tree
      adder_tree #(
        .OPERANDS   (LANES_X),
        .WIDTH      (WIDTH),
        .ADD_LATENCY(ADD_LATENCY)
      ) i_tree (
        .clk_i,
        .operands_i(products[WIDTH*LANES_X*i+:WIDTH*LANES_X]),
        .sum_o     (sums[WIDTH*i+:WIDTH])
      );
    end
    if (TREES == 0) begin : gen_final
      adder_tree #(
        .OPERANDS   (LANES_Y),
        .WIDTH      (WIDTH),
        .ADD_LATENCY(ADD_LATENCY)
      ) i_tree (
        .clk_i,
        .operands_i(sums),
        .sum_o     (rows_o[WIDTH-1:0])
      );
      logic unused_transposed;
      assign unused_transposed = ^transposed;
      assign rows_o[WIDTH*LANES_Y-1:WIDTH] = '0;
      assign columns_o = '0;
    end else begin : gen_columns
      assign rows_o = sums;
      for (genvar i = 0; i < LANES_X; i++) begin : gen_tree
        adder_tree #(
          .OPERANDS   (LANES_Y),
          .WIDTH      (WIDTH),
          .ADD_LATENCY(ADD_LATENCY)
        ) i_tree (
          .clk_i,
          .operands_i(transposed[WIDTH*LANES_Y*i+:WIDTH*LANES_Y]),
          .sum_o     (columns_o[WIDTH*i+:WIDTH])
        );
      end
    end
  end

endmodule
