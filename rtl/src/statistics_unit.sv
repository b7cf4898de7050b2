// What the machine takes of a matrix as it arrives, and the start vectors made from it.
//
// Rows are taken one after the other, in groups of WIDTH elements, a group per cycle at most and a row per
// fp32 addition at most. Sum of squares: a tree over a group's squares, groups pairwise. Column sums: from
// row to row. Groups arrive as `group` says; sums of the matrix belong to its number.
module statistics_unit #(
  localparam int unsigned WIDTH    = dcom_pkg::INGEST_WIDTH,
  localparam int unsigned MATRICES = dcom_pkg::MATRICES,
  localparam int unsigned COLUMNS  = dcom_pkg::MATRIX_COLUMNS,
  localparam int unsigned BUS      = machine_pkg::BUS
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        valid_i,
  input  logic                 [31:0] matrix_i,
  input  logic                 [31:0] column_i,      // of the group's first element
  input  logic                 [31:0] elements_i,
  input  logic                        first_row_i,
  input  logic                        last_i,        // group of the matrix
  input  logic      [WIDTH-1:0][15:0] data_i,
  output logic   [MATRICES-1:0][31:0] squares_o,
  // Start vectors.
  input  logic                        start_i,
  input  machine_pkg::op_t            op_i,
  input  logic                        request_i,
  input  logic                 [31:0] element_i,
  output logic        [BUS-1:0][15:0] words_o
);
  localparam int unsigned F = dcom_pkg::ADD32_CYCLES;
  localparam int unsigned M = dcom_pkg::MULTIPLY_CYCLES;

  // ---- Sum of squares ----

  logic [WIDTH-1:0][31:0] squares;
  for (genvar i = 0; i < WIDTH; i++) begin : gen_square
    logic [31:0] square;
    fp16_multiply #(
      .EXACT  (1'b1),
      .LATENCY(M)
    ) i_square (
      .clk_i,
      .a_i       (data_i[i]),
      .b_i       (data_i[i]),
      .exponent_i(8'sd0),
      .product_o (square)
    );
    logic there;
    delay #(
      .WIDTH  (1),
      .LATENCY(M)
    ) i_there (
      .clk_i,
      .data_i(i < elements_i),
      .data_o(there)
    );
    assign squares[i] = there ? square : '0;
  end
  logic [31:0] group_sum;
  adder_tree #(
    .OPERANDS   (WIDTH),
    .WIDTH      (32),
    .ADD_LATENCY(F)
  ) i_tree (
    .clk_i,
    .operands_i(squares),
    .sum_o     (group_sum)
  );
  logic        group_valid, group_last;
  delay_valid #(
    .WIDTH  (2),
    .LATENCY(M + F * $clog2(WIDTH))
  ) i_group (
    .clk_i,
    .rst_ni,
    .data_i({valid_i, valid_i & last_i}),
    .data_o({group_valid, group_last})
  );
  logic [1:0]       total_valid;
  logic [1:0][31:0] total;
  pairwise_accumulator #(
    .WIDTH      (32),
    .LEVELS     (dcom_pkg::STATISTICS_LEVELS),
    .ADD_LATENCY(F)
  ) i_total (
    .clk_i,
    .rst_ni,
    .valid_i(group_valid),
    .last_i (group_last),
    .route_i(1'b0),
    .data_i (group_sum),
    .valid_o(total_valid),
    .sum_o  (total)
  );
  // Matrices whose sum is not complete yet, in order.
  logic [MATRICES-1:0][31:0] pending_q, squares_q;
  logic [31:0]               pending_head_q, pending_tail_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      pending_head_q <= '0;
      pending_tail_q <= '0;
      squares_q      <= '0;
    end else begin
      if (valid_i && last_i) pending_tail_q <= pending_tail_q + 32'd1 == MATRICES ? '0 : pending_tail_q + 32'd1;
      if (total_valid[0]) begin
        pending_head_q                       <= pending_head_q + 32'd1 == MATRICES ? '0 : pending_head_q + 32'd1;
        squares_q[pending_q[pending_head_q]] <= total[0];
      end
    end
  end
  always_ff @(posedge clk_i) if (valid_i && last_i) pending_q[pending_tail_q] <= matrix_i;
  assign squares_o = squares_q;

  // ---- Column sums ----

  logic [31:0] sums_q[MATRICES*COLUMNS];
  logic        write_valid;
  logic [31:0] write_address, write_elements;
  delay_line #(
    .WIDTH  (64),
    .LATENCY(F)
  ) i_write (
    .clk_i,
    .rst_ni,
    .valid_i,
    .data_i ({matrix_i * COLUMNS + column_i, elements_i}),
    .valid_o(write_valid),
    .data_o ({write_address, write_elements})
  );
  logic [WIDTH-1:0][31:0] sums;
  for (genvar i = 0; i < WIDTH; i++) begin : gen_column
    logic [31:0] so_far, element;
    // What leaves the adder in this cycle is not written yet.
    logic        forward;
    assign forward = write_valid & (write_address == matrix_i * COLUMNS + column_i) & (i < write_elements);
    assign so_far  = first_row_i ? '0 : forward ? sums[i] : sums_q[(matrix_i*COLUMNS+column_i+i)%(MATRICES*COLUMNS)];
    fp_widen i_widen (
      .data_i(data_i[i]),
      .data_o(element)
    );
    fp_add #(
      .WIDTH  (32),
      .LATENCY(F)
    ) i_add (
      .clk_i,
      .a_i  (so_far),
      .b_i  (element),
      .sum_o(sums[i])
    );
  end
  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < WIDTH; i++) begin
      if (write_valid && i < write_elements) sums_q[(write_address+i)%(MATRICES*COLUMNS)] <= sums[i];
    end
  end

  // ---- Start vectors ----

  machine_pkg::op_t          op_q;
  logic                      scanning_q, any_q;
  logic [31:0]               scan_q;
  logic signed [20:0]        power;
  logic signed [8:0]         exponent;
  logic [BUS-1:0][15:0]      means;
  logic [dcom_pkg::GLOBAL_WIDTH-1:0][15:0] scanned;
  logic [dcom_pkg::GLOBAL_WIDTH-1:0]       is_there;
  assign exponent = 9'(op_q.exponent);
  assign power    = 21'(exponent) - $signed({5'd0, op_q.shift[15:0]});
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) scanning_q <= 1'b0;
    else if (start_i) scanning_q <= op_i.kind == 3'd0;
    else if (scan_q + dcom_pkg::GLOBAL_WIDTH >= op_q.count) scanning_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      op_q   <= op_i;
      scan_q <= '0;
      any_q  <= 1'b0;
    end else if (scanning_q) begin
      scan_q <= scan_q + dcom_pkg::GLOBAL_WIDTH;
      any_q  <= any_q | (is_there != '0);
    end
  end
  // The scan looks for a mean that is not zero.
  for (genvar i = 0; i < dcom_pkg::GLOBAL_WIDTH; i++) begin : gen_scan
    fp_scale_round i_mean (
      .data_i (sums_q[(op_q.matrix*COLUMNS+scan_q+i)%(MATRICES*COLUMNS)]),
      .power_i(power),
      .data_o (scanned[i])
    );
    assign is_there[i] = (scanned[i][14:0] != '0) & (scan_q + i < op_q.count);
  end
  for (genvar i = 0; i < BUS; i++) begin : gen_word
    logic [31:0] element, hash;
    fp_scale_round i_mean (
      .data_i (sums_q[(op_q.matrix*COLUMNS+element_i+i)%(MATRICES*COLUMNS)]),
      .power_i(power),
      .data_o (means[i])
    );
    assign element = element_i + i;
    assign hash    = (element + 32'd1) * 32'h9e3779b1;
    always_comb begin
      unique case (op_q.kind)
        3'd0:    words_o[i] = any_q ? means[i] : {hash[31], 15'h3c00};
        3'd1:    words_o[i] = 16'h3c00;
        3'd2:    words_o[i] = element == '0 ? 16'h3c00 : 16'h0000;
        3'd3:    words_o[i] = {element[0], 15'h3c00};
        default: words_o[i] = {hash[31], 15'h3c00};
      endcase
    end
    logic unused_hash;
    assign unused_hash = ^hash;
  end

  logic unused;
  assign unused = ^{op_q, request_i, total_valid[1], total[1]};

endmodule
