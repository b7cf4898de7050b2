// The scalar unit: fp32 registers, predicates, and the sum of words of the global broadcast memory.
//
// A register or predicate written by an op that is done at cycle c is written at the end of cycle c - 1.
module scalar_unit #(
  localparam int unsigned WIDTH      = dcom_pkg::GLOBAL_WIDTH,
  localparam int unsigned REGISTERS  = dcom_pkg::REGISTERS,
  localparam int unsigned PREDICATES = dcom_pkg::PREDICATES
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        start_i,
  input  machine_pkg::op_t            op_i,
  // Words of sum.
  input  logic                        sum_valid_i,
  input  logic                        sum_last_i,
  input  logic                        sum_single_i,
  input  logic [31:0]                 sum_words_i,
  input  logic [15:0]                 sum_register_i,
  input  logic [WIDTH-1:0][31:0]      sum_data_i,
  output logic [REGISTERS-1:0][31:0]  registers_o,
  output logic [PREDICATES-1:0]       set_o,
  output logic [PREDICATES-1:0][31:0] passed_o
);
  localparam int unsigned F      = dcom_pkg::ADD32_CYCLES;
  localparam int unsigned LEVELS = $clog2(WIDTH);
  localparam int unsigned SIMPLE = dcom_pkg::SIMPLE_CYCLES;

  if (SIMPLE == 0) begin : gen_latency_check
    $error("scalar_unit: a result takes at least one cycle");
  end

  logic [REGISTERS-1:0][31:0]  registers_q;
  logic [PREDICATES-1:0]       set_q;
  logic [PREDICATES-1:0][31:0] passed_q;
  assign registers_o = registers_q;
  assign set_o       = set_q;
  assign passed_o    = passed_q;

  machine_pkg::op_t op_q;
  logic             valid_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else valid_q <= start_i;
  end
  always_ff @(posedge clk_i) if (start_i) op_q <= op_i;

  // ---- Simple ops ----

  function automatic logic is_nan(logic [31:0] x);
    is_nan = (x & 32'h7fffffff) > 32'h7f800000;
  endfunction

  // Whether a > b; false if one of them is NaN. Sign and magnitude as an ordered integer.
  function automatic logic greater(logic [31:0] a, logic [31:0] b);
    logic signed [32:0] x, y;
    x = a[31] ? -33'(a[30:0]) : 33'(a[30:0]);
    y = b[31] ? -33'(b[30:0]) : 33'(b[30:0]);
    greater = ~is_nan(a) & ~is_nan(b) & (x > y);
  endfunction

  logic [31:0] product, result, logarithm, factor_product, multiplicand;
  logic        is_register, is_brk, is_clr, passes, first_is_larger;
  assign is_brk       = op_q.opcode == dcom_pkg::OP_BRK;
  assign is_clr       = op_q.opcode == dcom_pkg::OP_CLR;
  // 2^-tolerance, a normal number.
  assign multiplicand = is_brk ? {1'b0, 8'd127 - op_q.shift[7:0], 23'd0} : op_q.value_a;
  fp32_multiply i_multiply (
    .a_i      (multiplicand),
    .b_i      (op_q.value_b),
    .product_o(product)
  );
  assign factor_product = product;
  assign passes         = greater(op_q.value_a, factor_product);
  fp32_log2 i_log2 (
    .data_i(op_q.value_a),
    .data_o(logarithm)
  );
  assign first_is_larger = is_nan(op_q.value_b) | greater(op_q.value_a, op_q.value_b)
      | (~is_nan(op_q.value_a) & ~greater(op_q.value_b, op_q.value_a) & ~op_q.value_a[31]);
  always_comb begin
    is_register = 1'b1;
    result      = op_q.value_a;
    unique case (op_q.opcode)
      dcom_pkg::OP_LDI, dcom_pkg::OP_STAT: ;
      dcom_pkg::OP_MUL: result = product;
      dcom_pkg::OP_MAX: begin
        result = first_is_larger ? op_q.value_a : op_q.value_b;
        if (is_nan(result)) result = 32'h7fc00000;
      end
      dcom_pkg::OP_LOG2: result = logarithm;
      default: is_register = 1'b0;
    endcase
  end

  logic        write_valid, brk_valid, clr_valid, brk_passes;
  logic [15:0] write_register, write_predicate;
  logic [31:0] write_data;
  delay_valid #(
    .WIDTH  (3),
    .LATENCY(SIMPLE - 1)
  ) i_simple_valid (
    .clk_i,
    .rst_ni,
    .data_i({valid_q & is_register, valid_q & is_brk, valid_q & is_clr}),
    .data_o({write_valid, brk_valid, clr_valid})
  );
  delay #(
    .WIDTH  (65),
    .LATENCY(SIMPLE - 1)
  ) i_simple (
    .clk_i,
    .data_i({op_q.destination, op_q.predicate, passes, result}),
    .data_o({write_register, write_predicate, brk_passes, write_data})
  );

  // ---- Division and square root ----

  logic [31:0] quotient, root, divide_q, sqrt_q;
  logic [15:0] divide_register_q, sqrt_register_q;
  logic        is_divide, is_sqrt;
  assign is_divide = start_i & (op_i.opcode == dcom_pkg::OP_DIV);
  assign is_sqrt   = start_i & (op_i.opcode == dcom_pkg::OP_SQRT);
  fp32_divide #(
    .CYCLES (dcom_pkg::DIVIDE_CYCLES),
    .IS_ROOT(1'b0)
  ) i_divide (
    .clk_i,
    .start_i (is_divide),
    .a_i     (op_i.value_a),
    .b_i     (op_i.value_b),
    .result_o(quotient)
  );
  fp32_divide #(
    .CYCLES (dcom_pkg::SQRT_CYCLES),
    .IS_ROOT(1'b1)
  ) i_sqrt (
    .clk_i,
    .start_i (is_sqrt),
    .a_i     (op_i.value_a),
    .b_i     (32'h3f800000),
    .result_o(root)
  );
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      divide_q <= '0;
      sqrt_q   <= '0;
    end else begin
      if (is_divide) divide_q <= dcom_pkg::DIVIDE_CYCLES;
      else if (divide_q != '0) divide_q <= divide_q - 32'd1;
      if (is_sqrt) sqrt_q <= dcom_pkg::SQRT_CYCLES;
      else if (sqrt_q != '0) sqrt_q <= sqrt_q - 32'd1;
    end
  end
  always_ff @(posedge clk_i) begin
    if (is_divide) divide_register_q <= op_i.destination;
    if (is_sqrt) sqrt_register_q <= op_i.destination;
  end

  // ---- Sums: a tree over the words of a read, with an output at every level; groups pairwise ----

  logic [LEVELS:0][WIDTH-1:0][31:0] nodes;
  logic [LEVELS:0]                  level_valid, level_last, level_single;
  logic [LEVELS:0][15:0]            level_register;
  logic [LEVELS:0][5:0]             level_target;
  always_comb begin
    for (int unsigned i = 0; i < WIDTH; i++) nodes[0][i] = i < sum_words_i ? sum_data_i[i] : '0;
  end
  assign level_valid[0]    = sum_valid_i;
  assign level_last[0]     = sum_last_i;
  assign level_single[0]   = sum_single_i;
  assign level_register[0] = sum_register_i;
  assign level_target[0]   = sum_single_i ? machine_pkg::log2_ceil(sum_words_i) : 6'(LEVELS);
  for (genvar l = 0; l < LEVELS; l++) begin : gen_level
    for (genvar i = 0; i < WIDTH; i++) begin : gen_node
      if (i < (WIDTH + (1 << (l + 1)) - 1) >> (l + 1)) begin : gen_sum
        logic [31:0] right;
        if (2 * i + 1 < (WIDTH + (1 << l) - 1) >> l) begin : gen_pair
          assign right = nodes[l][2*i+1];
        end else begin : gen_nothing
          assign right = '0;
        end
        fp_add #(
          .WIDTH  (32),
          .LATENCY(F)
        ) i_add (
          .clk_i,
          .a_i  (nodes[l][2*i]),
          .b_i  (right),
          .sum_o(nodes[l+1][i])
        );
      end else begin : gen_none
        assign nodes[l+1][i] = '0;
      end
    end
    delay_line #(
      .WIDTH  (24),
      .LATENCY(F)
    ) i_tag (
      .clk_i,
      .rst_ni,
      .valid_i(level_valid[l] & (32'(level_target[l]) != l)),
      .data_i ({level_last[l], level_single[l], level_register[l], level_target[l]}),
      .valid_o(level_valid[l+1]),
      .data_o ({level_last[l+1], level_single[l+1], level_register[l+1], level_target[l+1]})
    );
  end

  // A sum of fewer groups may overtake one of more that was issued before, or end in the same cycle: the register goes along.
  localparam int unsigned TOTALS = dcom_pkg::SUM_LEVELS;
  logic [TOTALS:0]       total_valid, total_last, total_ends;
  logic [TOTALS:0][31:0] totals, roots;
  logic [TOTALS:0][15:0] total_register;
  assign total_valid[0]     = level_valid[LEVELS] & ~level_single[LEVELS];
  assign total_last[0]      = level_last[LEVELS];
  assign totals[0]          = nodes[LEVELS][0];
  assign total_register[0]  = level_register[LEVELS];
  assign total_ends[TOTALS] = total_valid[TOTALS];
  assign roots[TOTALS]      = totals[TOTALS];
  for (genvar l = 0; l < TOTALS; l++) begin : gen_total
    logic unused_route;
    pairwise_level #(
      .WIDTH      (32),
      .ADD_LATENCY(F)
    ) i_level (
      .clk_i,
      .rst_ni,
      .valid_i     (total_valid[l]),
      .last_i      (total_last[l]),
      .route_i     (1'b0),
      .data_i      (totals[l]),
      .root_valid_o(total_ends[l]),
      .root_o      (roots[l]),
      .valid_o     (total_valid[l+1]),
      .last_o      (total_last[l+1]),
      .route_o     (unused_route),
      .data_o      (totals[l+1])
    );
    delay #(
      .WIDTH  (16),
      .LATENCY(F)
    ) i_register (
      .clk_i,
      .data_i(total_register[l]),
      .data_o(total_register[l+1])
    );
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) !total_valid[TOTALS] || total_last[TOTALS])
  else $error("scalar_unit: more than 2^%0d groups", TOTALS);
`endif

  // ---- Registers and predicates: ops that end in one cycle write different ones ----

  logic [LEVELS:0] level_ends;
  for (genvar l = 0; l <= LEVELS; l++) begin : gen_end
    assign level_ends[l] = level_valid[l] & level_single[l] & (32'(level_target[l]) == l);
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      registers_q <= '0;
    end else begin
      if (write_valid) registers_q[write_register] <= write_data;
      if (divide_q == 32'd1) registers_q[divide_register_q] <= quotient;
      if (sqrt_q == 32'd1) registers_q[sqrt_register_q] <= root;
      for (int unsigned l = 0; l <= TOTALS; l++) begin
        if (total_ends[l]) registers_q[total_register[l]] <= roots[l];
      end
      for (int unsigned l = 0; l <= LEVELS; l++) begin
        if (level_ends[l]) registers_q[level_register[l]] <= nodes[l][0];
      end
    end
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      set_q    <= '0;
      passed_q <= '0;
    end else if (clr_valid) begin
      set_q[32'(write_predicate)]    <= 1'b0;
      passed_q[write_predicate] <= '0;
    end else if (brk_valid) begin
      if (brk_passes) passed_q[write_predicate] <= passed_q[write_predicate] + 32'd1;
      else set_q[32'(write_predicate)] <= 1'b1;
    end
  end

  logic unused;
  assign unused = ^{op_q, nodes};

endmodule
