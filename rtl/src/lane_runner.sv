// Steps of the ops that work on the buffers alone, for the clusters of one bank: dot, corr, axpy, scale,
// narrow, csum and preduce. The first step is in the cycle after `start_i`.
//
// Group: round of dot, `lanes_y` elements of corr, chunk of axpy, scale and narrow, partition of preduce.
// Pass: chunk of dot, coefficients of corr and csum, words of preduce.
module lane_runner #(
  localparam int unsigned CLUSTERS = machine_pkg::BANK_CLUSTERS
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  logic                              start_i,
  input  machine_pkg::op_t                  op_i,
  output logic                       [15:0] layout_index_o,
  input  machine_pkg::deal_t [CLUSTERS-1:0] deal_i,
  output machine_pkg::feed_t                feed_o,
  output logic                              has_result_o,  // the step completes a result
  output machine_pkg::result_t              result_o,
  output logic                       [15:0] delay_o,       // from the step to the result
  // Goes with the sums of dot and preduce into the partition network.
  output logic                              dot_valid_o,
  output logic                              sums_valid_o,
  output machine_pkg::tag_t                 tag_o
);
  localparam int unsigned LANES = machine_pkg::LANES;
  localparam int unsigned READ  = machine_pkg::READ;
  localparam int unsigned X     = dcom_pkg::LANES_X;
  localparam int unsigned Y     = dcom_pkg::LANES_Y;
  localparam int unsigned ADD   = machine_pkg::ADD;

  machine_pkg::op_t op_q;
  logic             busy_q;
  logic [31:0]      group_q, pass_q, part_q, rotation_q;
  logic [31:0]      groups, passes, parts, length, round_chunks;
  logic             is_dot, is_corr, is_sums;

  assign is_dot  = op_q.opcode == dcom_pkg::OP_DOT;
  assign is_corr = op_q.opcode == dcom_pkg::OP_CORR;
  assign is_sums = op_q.opcode == dcom_pkg::OP_PREDUCE;
  assign length  = op_q.layout.rounds * op_q.layout.round_len;
  assign round_chunks = (op_q.layout.round_len + LANES - 32'd1) / LANES;
  always_comb begin
    groups = (length + LANES - 32'd1) / LANES;
    passes = 32'd1;
    parts  = (LANES + READ - 1) / READ;
    unique case (op_q.opcode)
      dcom_pkg::OP_DOT: begin
        groups = op_q.layout.rounds;
        passes = round_chunks;
      end
      dcom_pkg::OP_CORR: begin
        groups = (length + Y - 32'd1) / Y;
        passes = (op_q.count + X - 32'd1) / X;
        parts  = 32'd1;
      end
      dcom_pkg::OP_CSUM: begin
        groups = 32'd1;
        passes = (op_q.count + X - 32'd1) / X;
        parts  = 32'd1;
      end
      dcom_pkg::OP_PREDUCE: begin
        groups = op_q.partitions;
        passes = (op_q.count + machine_pkg::REDUCE - 32'd1) / machine_pkg::REDUCE;
        parts  = 32'd1;
      end
      default: ;
    endcase
  end

  logic last_part, last_pass, last_group, end_pass, end_group;
  logic [31:0] rotation_sum;
  assign last_part    = part_q + 32'd1 == parts;
  assign last_pass    = pass_q + 32'd1 == passes;
  assign last_group   = group_q + 32'd1 == groups;
  assign end_pass     = busy_q & last_part;
  assign end_group    = end_pass & last_pass;
  assign rotation_sum = rotation_q + op_q.layout.blocks_modulo;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) busy_q <= 1'b0;
    else if (start_i) busy_q <= 1'b1;
    else if (end_group && last_group) busy_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      op_q       <= op_i;
      group_q    <= '0;
      pass_q     <= '0;
      part_q     <= '0;
      rotation_q <= '0;
    end else if (busy_q) begin
      part_q <= last_part ? '0 : part_q + 32'd1;
      if (end_pass) pass_q <= last_pass ? '0 : pass_q + 32'd1;
      if (end_group) begin
        group_q    <= group_q + 32'd1;
        rotation_q <= rotation_sum >= op_q.layout.clusters ? rotation_sum - op_q.layout.clusters : rotation_sum;
      end
    end
  end

  // ---- Masks of dot ----

  assign layout_index_o = op_q.layout_index;
  logic [CLUSTERS-1:0][31:0] elements;
  for (genvar i = 0; i < CLUSTERS; i++) begin : gen_share
    logic [31:0] slice, block, blocks;
    share i_share (
      .layout_i  (op_q.layout),
      .deal_i    (deal_i[i]),
      .round_i   (group_q),
      .rotation_i(rotation_q),
      .slice_o   (slice),
      .block_o   (block),
      .blocks_o  (blocks),
      .elements_o(elements[i])
    );
    logic unused;
    assign unused = ^{slice, block, blocks};
  end

  // ---- Steps ----

  logic [31:0] chunk_address, part_address;
  assign part_address  = part_q * READ;
  assign chunk_address = is_dot ? group_q * op_q.layout.round_len + pass_q * LANES : group_q * LANES;
  always_comb begin
    feed_o           = '0;
    feed_o.valid     = busy_q;
    feed_o.part      = part_q;
    feed_o.last_part = last_part;
    feed_o.last_pass = last_pass;
    feed_o.is_scalar = op_q.is_scalar;
    // Clusters of another window on the same bank stay as they are.
    for (int unsigned i = 0; i < CLUSTERS; i++) feed_o.hits[i] = is_dot | deal_i[i].held;
    feed_o.address_a = op_q.a + chunk_address + part_address;
    feed_o.address_b = op_q.b;
    feed_o.common    = op_q.count - pass_q * X;
    for (int unsigned i = 0; i < CLUSTERS; i++) begin
      feed_o.own[i] = elements[i] > pass_q * LANES ? elements[i] - pass_q * LANES : '0;
    end
    unique case (op_q.opcode)
      dcom_pkg::OP_DOT: begin
        feed_o.feed      = machine_pkg::FEED_DOT;
        feed_o.address_b = op_q.b + chunk_address + part_address;
      end
      dcom_pkg::OP_CORR: begin
        feed_o.feed      = machine_pkg::FEED_CORR;
        feed_o.address_a = op_q.a + group_q * Y;
        feed_o.address_b = op_q.b + pass_q * X;
        feed_o.is_added  = 1'b1;
      end
      dcom_pkg::OP_AXPY:  feed_o.feed = machine_pkg::FEED_AXPY;
      dcom_pkg::OP_SCALE: feed_o.feed = machine_pkg::FEED_SCALE;
      dcom_pkg::OP_NARROW: begin
        feed_o.feed      = machine_pkg::FEED_NARROW;
        feed_o.address_a = op_q.a + 32'd2 * chunk_address + part_address;
        feed_o.address_b = op_q.a + 32'd2 * chunk_address + LANES + part_address;
      end
      dcom_pkg::OP_CSUM: begin
        feed_o.feed      = machine_pkg::FEED_CSUM;
        feed_o.address_a = op_q.a + pass_q * X;
      end
      dcom_pkg::OP_PREDUCE: begin
        feed_o.feed      = machine_pkg::FEED_READ;
        feed_o.address_a = op_q.a + 32'd2 * pass_q * machine_pkg::REDUCE;
      end
      default: feed_o.feed = machine_pkg::FEED_NONE;
    endcase
  end

  // ---- Results ----

  logic [5:0] levels;
  assign levels = machine_pkg::log2_ceil(passes);
  always_comb begin
    result_o           = '0;
    for (int unsigned i = 0; i < CLUSTERS; i++) result_o.hits[i] = deal_i[i].held;
    result_o.part      = part_q;
    result_o.last_part = last_part;
    result_o.address   = op_q.z + group_q * LANES;
    result_o.elements  = LANES;
    result_o.sum       = machine_pkg::SUM_PRODUCTS;
    delay_o            = 16'(dcom_pkg::BUFFER_READ_CYCLES + dcom_pkg::MULTIPLY_CYCLES);
    has_result_o       = busy_q & ~is_dot & ~is_sums;
    unique case (op_q.opcode)
      dcom_pkg::OP_CORR: begin
        has_result_o      = end_group;
        result_o.sum      = machine_pkg::SUM_ROWS;
        result_o.address  = op_q.z + group_q * Y;
        result_o.elements = Y;
        result_o.has_z    = 1'b1;
        result_o.subtract = 1'b1;
        delay_o           = 16'(dcom_pkg::BUFFER_READ_CYCLES + dcom_pkg::MULTIPLY_CYCLES + machine_pkg::ROW_TREE + ADD)
                          + 16'(ADD) * 16'(levels);
      end
      dcom_pkg::OP_AXPY: begin
        result_o.has_z    = 1'b1;
        result_o.subtract = 1'b1;
        delay_o           = 16'(dcom_pkg::BUFFER_READ_CYCLES + dcom_pkg::MULTIPLY_CYCLES + ADD);
      end
      dcom_pkg::OP_NARROW: begin
        result_o.sum = machine_pkg::SUM_NARROW;
        delay_o      = 16'(dcom_pkg::BUFFER_READ_CYCLES);
      end
      dcom_pkg::OP_CSUM: begin
        has_result_o      = end_group;
        result_o.sum      = machine_pkg::SUM_ROWS;
        result_o.address  = op_q.z;
        result_o.elements = 32'd1;
        delay_o           = 16'(dcom_pkg::BUFFER_READ_CYCLES + dcom_pkg::MULTIPLY_CYCLES + machine_pkg::ROW_TREE)
                          + 16'(ADD) * 16'(levels);
      end
      default: ;
    endcase
  end

  assign dot_valid_o  = end_group & is_dot;
  assign sums_valid_o = busy_q & is_sums;
  always_comb begin
    tag_o              = '0;
    tag_o.valid        = 1'b1;
    tag_o.is_dot       = is_dot;
    tag_o.layout_index = op_q.layout_index;
    tag_o.part         = op_q.part;
    tag_o.partition    = group_q;
    if (is_dot) begin
      tag_o.word  = group_q * op_q.layout.count;
      tag_o.words = machine_pkg::minimum(op_q.layout.parts - group_q * op_q.layout.count, op_q.layout.count);
    end else begin
      tag_o.word  = op_q.word + group_q * op_q.count + pass_q * machine_pkg::REDUCE;
      tag_o.words = machine_pkg::minimum(op_q.count - pass_q * machine_pkg::REDUCE, machine_pkg::REDUCE);
    end
  end

  logic unused;
  assign unused = ^{is_corr, op_q};

endmodule
