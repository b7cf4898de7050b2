// The lanes of a cluster: multipliers, row and column trees, pairwise accumulators, and the adders that
// subtract a sum or a product from z or add it to z.
//
// dot has its own tree over the row trees and its own accumulator: with the column trees, whose
// inputs are due at another time after the multipliers, a dot and a stream would meet there.
module lanes #(
  localparam int unsigned LANES = machine_pkg::LANES,
  localparam int unsigned X     = dcom_pkg::LANES_X,
  localparam int unsigned Y     = dcom_pkg::LANES_Y,
  localparam int unsigned WORD  = machine_pkg::WORD
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  // Operands and mask of every lane, numbered row by row.
  input  logic                       valid_i,
  input  machine_pkg::feed_e         feed_i,
  input  logic                       last_pass_i,
  input  logic                       is_added_i,
  input  logic [LANES-1:0]           enable_i,
  input  logic [LANES-1:0][15:0]     a_i,
  input  logic [LANES-1:0][15:0]     b_i,
  input  logic signed [7:0]          exponent_i,
  // z in accumulate precision, in the cycle of the sum or product that it is combined with.
  input  logic                       z_valid_i,
  input  machine_pkg::result_t       z_event_i,
  input  logic [LANES-1:0][WORD-1:0] z_i,
  // The result that is due, in accumulate precision; as many words from the first on as its op gives.
  input  machine_pkg::result_t       result_event_i,
  output logic                       result_valid_o,
  output logic [LANES-1:0][WORD-1:0] result_o,
  // Sums of dot.
  output logic                       partial_valid_o,
  output logic [WORD-1:0]            partial_o
);
  /* verilator no_inline_module */  // one copy of the code for all clusters
  localparam int unsigned ADD      = machine_pkg::ADD;
  localparam int unsigned MULTIPLY = dcom_pkg::MULTIPLY_CYCLES;
  localparam int unsigned LEVELS   = dcom_pkg::ACCUMULATOR_LEVELS;

  // ---- Products ----

  logic [LANES-1:0]           enable;
  logic [LANES-1:0][WORD-1:0] products;
  delay #(
    .WIDTH  (LANES),
    .LATENCY(MULTIPLY)
  ) i_enable (
    .clk_i,
    .data_i(enable_i),
    .data_o(enable)
  );
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    localparam bit EXACT = dcom_pkg::MODE == machine_pkg::X32;
    localparam int unsigned PRODUCT = EXACT ? 32 : 16;
    logic [PRODUCT-1:0] product;
    logic [WORD-1:0]    word;
    fp16_multiply #(
      .EXACT  (EXACT),
      .LATENCY(MULTIPLY)
    ) i_multiply (
      .clk_i,
      .a_i       (a_i[i]),
      .b_i       (b_i[i]),
      .exponent_i,
      .product_o (product)
    );
    if (dcom_pkg::MODE == machine_pkg::M16A32) begin : gen_widen
      fp_widen i_widen (
        .data_i(product),
        .data_o(word)
      );
    end else begin : gen_word
      assign word = product;
    end
    // A masked lane has the product +0, whatever its operands are.
    assign products[i] = enable[i] ? word : '0;
  end

  // Where the products go.
  logic elements_valid, to_rows, to_columns, to_dot, last, is_added;
  delay_valid #(
    .WIDTH  (6),
    .LATENCY(MULTIPLY)
  ) i_route (
    .clk_i,
    .rst_ni,
    .data_i({
      valid_i & (feed_i == machine_pkg::FEED_AXPY || feed_i == machine_pkg::FEED_SCALE),
      valid_i & (feed_i == machine_pkg::FEED_CORR || feed_i == machine_pkg::FEED_CSUM
              || feed_i == machine_pkg::FEED_COMB || feed_i == machine_pkg::FEED_ROWS_ALONG),
      valid_i & (feed_i == machine_pkg::FEED_COLUMNS_ALONG),
      valid_i & (feed_i == machine_pkg::FEED_DOT),
      last_pass_i,
      is_added_i
    }),
    .data_o({elements_valid, to_rows, to_columns, to_dot, last, is_added})
  );

  // ---- Row trees, and the rows' part of dot ----

  localparam int unsigned ROUTES = 2;  // to be written as they are; to be combined with z
  logic [Y-1:0][WORD-1:0]             row_sums;
  logic [Y-1:0][ROUTES-1:0][WORD-1:0] row_results;
  logic [Y-1:0][ROUTES-1:0]           row_valid;
  logic row_sum_valid, row_sum_last, row_sum_added, dot_row_valid, dot_row_last;
  delay_valid #(
    .WIDTH  (5),
    .LATENCY(machine_pkg::ROW_TREE)
  ) i_row_route (
    .clk_i,
    .rst_ni,
    .data_i({to_rows, to_rows & last, is_added, to_dot, to_dot & last}),
    .data_o({row_sum_valid, row_sum_last, row_sum_added, dot_row_valid, dot_row_last})
  );
  for (genvar i = 0; i < Y; i++) begin : gen_row
    adder_tree #(
      .OPERANDS   (X),
      .WIDTH      (WORD),
      .ADD_LATENCY(ADD)
    ) i_tree (
      .clk_i,
      .operands_i(products[i*X+:X]),
      .sum_o     (row_sums[i])
    );
    pairwise_accumulator #(
      .WIDTH      (WORD),
      .LEVELS     (LEVELS),
      .ADD_LATENCY(ADD)
    ) i_accumulator (
      .clk_i,
      .rst_ni,
      .valid_i(row_sum_valid),
      .last_i (row_sum_last),
      .route_i(row_sum_added),
      .data_i (row_sums[i]),
      .valid_o(row_valid[i]),
      .sum_o  (row_results[i])
    );
  end

  // ---- Column trees ----

  logic [X-1:0][WORD-1:0]             column_sums;
  logic [X-1:0][ROUTES-1:0][WORD-1:0] column_results;
  logic [X-1:0][ROUTES-1:0]           column_valid;
  logic                               column_sum_valid, column_sum_last, column_sum_added;
  delay_valid #(
    .WIDTH  (3),
    .LATENCY(machine_pkg::COLUMN_TREE)
  ) i_column_route (
    .clk_i,
    .rst_ni,
    .data_i({to_columns, to_columns & last, is_added}),
    .data_o({column_sum_valid, column_sum_last, column_sum_added})
  );
  for (genvar i = 0; i < X; i++) begin : gen_column
    logic [Y-1:0][WORD-1:0] operands;
    for (genvar j = 0; j < Y; j++) begin : gen_operand
      assign operands[j] = products[j*X+i];
    end
    adder_tree #(
      .OPERANDS   (Y),
      .WIDTH      (WORD),
      .ADD_LATENCY(ADD)
    ) i_tree (
      .clk_i,
      .operands_i(operands),
      .sum_o     (column_sums[i])
    );
    pairwise_accumulator #(
      .WIDTH      (WORD),
      .LEVELS     (LEVELS),
      .ADD_LATENCY(ADD)
    ) i_accumulator (
      .clk_i,
      .rst_ni,
      .valid_i(column_sum_valid),
      .last_i (column_sum_last),
      .route_i(column_sum_added),
      .data_i (column_sums[i]),
      .valid_o(column_valid[i]),
      .sum_o  (column_results[i])
    );
  end

  // ---- dot: the tree over the row sums ----

  logic            chunk_valid, chunk_last, unused_valid;
  logic [WORD-1:0] chunk_sum, unused_sum;
  adder_tree #(
    .OPERANDS   (Y),
    .WIDTH      (WORD),
    .ADD_LATENCY(ADD)
  ) i_dot_tree (
    .clk_i,
    .operands_i(row_sums),
    .sum_o     (chunk_sum)
  );
  delay_valid #(
    .WIDTH  (2),
    .LATENCY(machine_pkg::COLUMN_TREE)
  ) i_dot_route (
    .clk_i,
    .rst_ni,
    .data_i({dot_row_valid, dot_row_last}),
    .data_o({chunk_valid, chunk_last})
  );
  pairwise_accumulator #(
    .WIDTH      (WORD),
    .LEVELS     (LEVELS),
    .ADD_LATENCY(ADD)
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

  // ---- Results: as they are, or combined with z one addition later ----
  //
  // In one cycle there can be a sum for z and another one to write: their ops take their turns at the
  // buffer's write port.

  logic [LANES-1:0][WORD-1:0] combined, addends;
  always_comb begin
    addends = products;
    unique case (z_event_i.sum)
      machine_pkg::SUM_ROWS: begin
        for (int unsigned i = 0; i < Y; i++) addends[i] = row_results[i][1];
      end
      machine_pkg::SUM_COLUMNS: begin
        for (int unsigned i = 0; i < X; i++) addends[i] = column_results[i][1];
      end
      machine_pkg::SUM_DIRECT_ROWS: for (int unsigned i = 0; i < Y; i++) addends[i] = row_sums[i];
      machine_pkg::SUM_DIRECT_COLUMNS: for (int unsigned i = 0; i < X; i++) addends[i] = column_sums[i];
      default: ;
    endcase
  end
  for (genvar i = 0; i < LANES; i++) begin : gen_combine
    fp_add #(
      .WIDTH  (WORD),
      .LATENCY(ADD)
    ) i_add (
      .clk_i,
      .a_i  (z_i[i]),
      .b_i  ({addends[i][WORD-1] ^ z_event_i.subtract, addends[i][WORD-2:0]}),
      .sum_o(combined[i])
    );
  end

  logic combined_valid;
  delay_valid #(
    .WIDTH  (1),
    .LATENCY(ADD)
  ) i_combined_valid (
    .clk_i,
    .rst_ni,
    .data_i(z_valid_i),
    .data_o(combined_valid)
  );

  always_comb begin
    result_o       = combined;
    result_valid_o = combined_valid;
    if (!result_event_i.has_z) begin
      unique case (result_event_i.sum)
        machine_pkg::SUM_ROWS: begin
          for (int unsigned i = 0; i < Y; i++) result_o[i] = row_results[i][0];
          result_valid_o = row_valid[0][0];
        end
        machine_pkg::SUM_COLUMNS: begin
          for (int unsigned i = 0; i < X; i++) result_o[i] = column_results[i][0];
          result_valid_o = column_valid[0][0];
        end
        default: begin
          result_o       = products;
          result_valid_o = elements_valid;
        end
      endcase
    end
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) !valid_i || (exponent_i >= -8'sd64 && exponent_i <= 8'sd64))
  else $error("lanes: exponent %0d is not in -64..64", exponent_i);
`endif

  logic unused;
  assign unused = ^{z_event_i, result_event_i, unused_valid, unused_sum, row_valid, column_valid};

endmodule
