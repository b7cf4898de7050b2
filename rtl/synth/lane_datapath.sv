// The lanes of a cluster for synthesis: multipliers, row and column trees, pairwise accumulators and the adders
// that subtract a sum or a product from z.
//
// The units of `lanes` in the machine, with flat ports and parameters, as yosys 0.23 takes them. It is not part of the machine, which
// also adds to z and takes direct sums: multiplexers more.
//
// dot has its own tree over the row trees and its own accumulator: with the column trees, whose
// inputs are due at another time after the multipliers, a dot and a stream would meet there.
module lane_datapath #(
  parameter  cluster_pkg::mode_e MODE             = cluster_pkg::M16A32,
  parameter  int unsigned        LANES_X          = 4,
  parameter  int unsigned        LANES_Y          = 4,
  parameter  int unsigned        LEVELS           = 4,
  parameter  int unsigned        MULTIPLY_LATENCY = 1,
  parameter  int unsigned        ADD_LATENCY      = 1,
  localparam int unsigned        LANES            = LANES_X * LANES_Y,
  localparam int unsigned        WORD             = cluster_pkg::word_width(MODE)
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  // One chunk or tile: operands and mask of every lane, numbered row by row.
  input  logic                            valid_i,
  input  cluster_pkg::kind_e              kind_i,
  input  logic                            last_pass_i,
  input  logic [LANES-1:0]                enable_i,
  input  logic [16*LANES-1:0]             a_i,
  input  logic [16*LANES-1:0]             b_i,
  input  logic signed [7:0]               exponent_i,
  // z, in the cycle of the sum or product that is subtracted from it.
  input  logic                            z_valid_i,
  input  cluster_pkg::kind_e              z_kind_i,
  input  logic [16*LANES-1:0]             z_i,
  // Results in fp16, of the op whose result is due; as many from the first on as it gives.
  input  cluster_pkg::kind_e              result_kind_i,
  output logic                            result_valid_o,
  output logic [16*LANES-1:0]             result_o,
  // Sums of dot.
  output logic                            partial_valid_o,
  output logic [WORD-1:0]                 partial_o
);

  // ---- Products ----

  logic [LANES-1:0]      enable;
  logic [LANES*WORD-1:0] products;
  delay #(
    .WIDTH  (LANES),
    .LATENCY(MULTIPLY_LATENCY)
  ) i_enable (
    .clk_i,
    .data_i(enable_i),
    .data_o(enable)
  );
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    localparam int unsigned PRODUCT = MODE == cluster_pkg::X32 ? 32 : 16;
    logic [PRODUCT-1:0] product;
    logic [WORD-1:0]    word;
    fp16_multiply #(
      .EXACT  (MODE == cluster_pkg::X32),
      .LATENCY(MULTIPLY_LATENCY)
    ) i_multiply (
      .clk_i,
      .a_i       (a_i[16*i+:16]),
      .b_i       (b_i[16*i+:16]),
      .exponent_i,
      .product_o (product)
    );
    if (MODE == cluster_pkg::M16A32) begin : gen_widen
      fp_widen i_widen (
        .data_i(product),
        .data_o(word)
      );
    end else begin : gen_word
      assign word = product;
    end
    // A masked lane has the product +0, whatever its operands are.
    assign products[i*WORD+:WORD] = enable[i] ? word : '0;
  end

  // Where the products go: elementwise ops, row trees, column trees, dot.
  logic elements_valid, to_rows, to_columns, to_dot, last, is_subtracted;
  delay_valid #(
    .WIDTH  (6),
    .LATENCY(MULTIPLY_LATENCY)
  ) i_route (
    .clk_i,
    .rst_ni,
    .data_i({
      valid_i & (kind_i == cluster_pkg::KIND_AXPY || kind_i == cluster_pkg::KIND_SCALE),
      valid_i & (kind_i == cluster_pkg::KIND_CORR || kind_i == cluster_pkg::KIND_MVN),
      valid_i & (kind_i == cluster_pkg::KIND_MVT),
      valid_i & (kind_i == cluster_pkg::KIND_DOT),
      last_pass_i,
      cluster_pkg::is_correction(kind_i)
    }),
    .data_o({elements_valid, to_rows, to_columns, to_dot, last, is_subtracted})
  );

  // ---- Row trees: corr, streams, and the first part of dot ----

  localparam int unsigned ROW_LATENCY = ADD_LATENCY * $clog2(LANES_X);
  logic [LANES_Y*WORD-1:0] row_sums;
  // Of a stream, to be written; of corr, to be subtracted from z.
  logic [LANES_Y*WORD-1:0] row_results, row_subtrahends;
  logic [LANES_Y-1:0]      row_valid, row_subtrahend_valid;
  logic row_sum_valid, row_sum_last, row_sum_subtracted, dot_row_valid, dot_row_last;
  delay_valid #(
    .WIDTH  (5),
    .LATENCY(ROW_LATENCY)
  ) i_row_route (
    .clk_i,
    .rst_ni,
    .data_i({to_rows, to_rows & last, is_subtracted, to_dot, to_dot & last}),
    .data_o({row_sum_valid, row_sum_last, row_sum_subtracted, dot_row_valid, dot_row_last})
  );
  for (genvar i = 0; i < LANES_Y; i++) begin : gen_row
    adder_tree #(
      .OPERANDS   (LANES_X),
      .WIDTH      (WORD),
      .ADD_LATENCY(ADD_LATENCY)
    ) i_tree (
      .clk_i,
      .operands_i(products[i*LANES_X*WORD+:LANES_X*WORD]),
      .sum_o     (row_sums[i*WORD+:WORD])
    );
    pairwise_accumulator #(
      .WIDTH      (WORD),
      .LEVELS     (LEVELS),
      .ADD_LATENCY(ADD_LATENCY)
    ) i_accumulator (
      .clk_i,
      .rst_ni,
      .valid_i(row_sum_valid),
      .last_i (row_sum_last),
      .route_i(row_sum_subtracted),
      .data_i (row_sums[i*WORD+:WORD]),
      .valid_o({row_subtrahend_valid[i], row_valid[i]}),
      .sum_o  ({row_subtrahends[i*WORD+:WORD], row_results[i*WORD+:WORD]})
    );
  end

  // ---- Column trees: streams ----

  localparam int unsigned COLUMN_LATENCY = ADD_LATENCY * $clog2(LANES_Y);
  logic [LANES_X*WORD-1:0] column_results;
  logic [LANES_X-1:0]      column_valid;
  logic                    column_sum_valid, column_sum_last;
  delay_valid #(
    .WIDTH  (2),
    .LATENCY(COLUMN_LATENCY)
  ) i_column_route (
    .clk_i,
    .rst_ni,
    .data_i({to_columns, to_columns & last}),
    .data_o({column_sum_valid, column_sum_last})
  );
  for (genvar i = 0; i < LANES_X; i++) begin : gen_column
    logic [LANES_Y*WORD-1:0] operands;
    logic [WORD-1:0]         sum, unused_sum;
    logic                    unused_valid;
    for (genvar j = 0; j < LANES_Y; j++) begin : gen_operand
      assign operands[j*WORD+:WORD] = products[(j*LANES_X+i)*WORD+:WORD];
    end
    adder_tree #(
      .OPERANDS   (LANES_Y),
      .WIDTH      (WORD),
      .ADD_LATENCY(ADD_LATENCY)
    ) i_tree (
      .clk_i,
      .operands_i(operands),
      .sum_o     (sum)
    );
    pairwise_accumulator #(
      .WIDTH      (WORD),
      .LEVELS     (LEVELS),
      .ADD_LATENCY(ADD_LATENCY)
    ) i_accumulator (
      .clk_i,
      .rst_ni,
      .valid_i(column_sum_valid),
      .last_i (column_sum_last),
      .route_i(1'b0),
      .data_i (sum),
      .valid_o({unused_valid, column_valid[i]}),
      .sum_o  ({unused_sum, column_results[i*WORD+:WORD]})
    );
  end

  // ---- dot: the tree over the row sums ----

  logic            chunk_valid, chunk_last;
  logic [WORD-1:0] chunk_sum;
  logic            unused_valid;
  logic [WORD-1:0] unused_sum;
  adder_tree #(
    .OPERANDS   (LANES_Y),
    .WIDTH      (WORD),
    .ADD_LATENCY(ADD_LATENCY)
  ) i_dot_tree (
    .clk_i,
    .operands_i(row_sums),
    .sum_o     (chunk_sum)
  );
  delay_valid #(
    .WIDTH  (2),
    .LATENCY(COLUMN_LATENCY)
  ) i_dot_route (
    .clk_i,
    .rst_ni,
    .data_i({dot_row_valid, dot_row_last}),
    .data_o({chunk_valid, chunk_last})
  );
  pairwise_accumulator #(
    .WIDTH      (WORD),
    .LEVELS     (LEVELS),
    .ADD_LATENCY(ADD_LATENCY)
  ) i_dot_accumulator (
    .clk_i,
    .rst_ni,
    .valid_i(chunk_valid),
    .last_i (chunk_last),
    .route_i(1'b0),
    .data_i (chunk_sum),
    .valid_o({unused_valid, partial_valid_o}),
    .sum_o  ({unused_sum, partial_o})
  );

  // ---- Results: w as it is, or z - w one addition later ----
  //
  // In one cycle there can be a w to subtract and another one to write: their ops take their turns at the
  // buffer's write port.

  logic                  difference_valid;
  logic [LANES*WORD-1:0] subtrahends, differences, results;
  always_comb begin
    subtrahends = products;
    if (z_kind_i == cluster_pkg::KIND_CORR) subtrahends[LANES_Y*WORD-1:0] = row_subtrahends;
  end
  delay_valid #(
    .WIDTH  (1),
    .LATENCY(ADD_LATENCY)
  ) i_difference_valid (
    .clk_i,
    .rst_ni,
    .data_i(z_valid_i),
    .data_o(difference_valid)
  );
  always_comb begin
    results        = products;
    result_valid_o = elements_valid;
    unique case (result_kind_i)
      cluster_pkg::KIND_MVN: begin
        results[LANES_Y*WORD-1:0] = row_results;
        result_valid_o            = row_valid[0];
      end
      cluster_pkg::KIND_MVT: begin
        results[LANES_X*WORD-1:0] = column_results;
        result_valid_o            = column_valid[0];
      end
      cluster_pkg::KIND_CORR, cluster_pkg::KIND_AXPY: begin
        results        = differences;
        result_valid_o = difference_valid;
      end
      default: ;  // scale
    endcase
  end
  for (genvar i = 0; i < LANES; i++) begin : gen_result
    logic [WORD-1:0] z;
    if (WORD == 32) begin : gen_wide
      fp_widen i_widen (
        .data_i(z_i[16*i+:16]),
        .data_o(z)
      );
      fp_round i_round (
        .data_i(results[i*WORD+:WORD]),
        .data_o(result_o[16*i+:16])
      );
    end else begin : gen_half
      assign z = z_i[16*i+:16];
      assign result_o[16*i+:16] = results[i*WORD+:WORD];
    end
    fp_add #(
      .WIDTH  (WORD),
      .LATENCY(ADD_LATENCY)
    ) i_subtract (
      .clk_i,
      .a_i  (z),
      .b_i  ({~subtrahends[(i+1)*WORD-1], subtrahends[i*WORD+:WORD-1]}),
      .sum_o(differences[i*WORD+:WORD])
    );
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) !z_valid_i || (z_kind_i == cluster_pkg::KIND_CORR ? row_subtrahend_valid[0] : elements_valid))
  else $error("lane_datapath: z without a sum or product to subtract");
  assert property (@(posedge clk_i) disable iff (!rst_ni) row_valid == {LANES_Y{row_valid[0]}} && row_subtrahend_valid == {LANES_Y{row_subtrahend_valid[0]}})
  else $error("lane_datapath: the rows disagree");
  assert property (@(posedge clk_i) disable iff (!rst_ni) column_valid == {LANES_X{column_valid[0]}})
  else $error("lane_datapath: the columns disagree");
  assert property (@(posedge clk_i) disable iff (!rst_ni) !valid_i || (exponent_i >= -8'sd64 && exponent_i <= 8'sd64))
  else $error("lane_datapath: exponent %0d is not in -64..64", exponent_i);
`endif

endmodule
