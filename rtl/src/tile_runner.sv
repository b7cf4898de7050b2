// Steps of the products with tiles in the buffers, tmvn and tmvt, for the clusters of one bank: block after
// block, for each of them all tile positions of the strip, each in the parts that a buffer reads. All clusters
// take their own tiles in step. The first step is in the cycle after `start_i`.
module tile_runner #(
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
  output logic                       [15:0] delay_o        // from the step to the result
);
  localparam int unsigned LANES = machine_pkg::LANES;
  localparam int unsigned READ  = machine_pkg::READ;
  localparam int unsigned PARTS = (LANES + READ - 1) / READ;

  machine_pkg::op_t    op_q;
  logic                busy_q;
  logic [31:0]         round_q, rotation_q, slot_q, cycle_q, position_q, part_q;
  logic [CLUSTERS-1:0] seen_q;

  // ---- Cycles of a block: those of its tiles, and more where the sums before it are not written yet ----

  logic last_part, last_cycle, last_slot, last_round, end_block, end_round;
  logic [31:0] rotation_sum;
  assign last_part    = part_q + 32'd1 == PARTS;
  assign last_cycle   = cycle_q + 32'd1 == op_q.cycles;
  assign last_slot    = slot_q + 32'd1 == op_q.layout.slots;
  assign last_round   = round_q + 32'd1 == op_q.layout.rounds;
  assign end_block    = busy_q & last_cycle;
  assign end_round    = end_block & last_slot;
  assign rotation_sum = rotation_q + op_q.layout.blocks_modulo;

  logic [CLUSTERS-1:0] has_block;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) busy_q <= 1'b0;
    else if (start_i) busy_q <= 1'b1;
    else if (end_round && last_round) busy_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      op_q       <= op_i;
      round_q    <= '0;
      rotation_q <= '0;
      slot_q     <= '0;
      cycle_q    <= '0;
      position_q <= '0;
      part_q     <= '0;
      seen_q     <= '0;
    end else if (busy_q) begin
      cycle_q    <= last_cycle ? '0 : cycle_q + 32'd1;
      part_q     <= last_cycle || last_part ? '0 : part_q + 32'd1;
      position_q <= last_cycle ? '0 : position_q + 32'(last_part);
      if (end_block) begin
        seen_q <= seen_q | has_block;
        slot_q <= last_slot ? '0 : slot_q + 32'd1;
      end
      if (end_round) begin
        round_q    <= round_q + 32'd1;
        rotation_q <= rotation_sum >= op_q.layout.clusters ? rotation_sum - op_q.layout.clusters : rotation_sum;
      end
    end
  end

  // ---- The clusters' blocks of this round and slot ----

  assign layout_index_o = op_q.layout_index;
  logic [CLUSTERS-1:0][31:0] own;
  for (genvar i = 0; i < CLUSTERS; i++) begin : gen_share
    logic [31:0] slice, block, blocks, elements;
    share i_share (
      .layout_i  (op_q.layout),
      .deal_i    (deal_i[i]),
      .round_i   (round_q),
      .rotation_i(rotation_q),
      .slice_o   (slice),
      .block_o   (block),
      .blocks_o  (blocks),
      .elements_o(elements)
    );
    assign has_block[i] = slot_q < blocks;
    assign own[i]       = machine_pkg::minimum(elements - slot_q * op_q.layout.granule, op_q.layout.granule);
    logic unused;
    assign unused = ^{slice, block};
  end

  // ---- Steps ----

  logic [31:0]        block;
  machine_pkg::feed_t step;
  assign block = round_q * op_q.layout.slots + slot_q;
  product_step i_step (
    .valid_i       (busy_q & (position_q < op_q.tiles)),
    .op_i          (op_q),
    .block_i       (block),
    .position_i    (position_q),
    .part_i        (part_q),
    .is_last_part_i(last_part),
    .hits_i        (has_block),
    .is_first_i    (~seen_q),
    .own_i         (own),
    .field_i       ('0),
    .feed_o        (step),
    .has_result_o,
    .result_o,
    .delay_o
  );
  always_comb begin
    feed_o           = step;
    feed_o.is_held   = 1'b1;
    feed_o.address_a = op_q.a + (block * op_q.tiles + position_q) * LANES + part_q * READ;
  end

  // Not all fields are of use here.
  logic unused;
  assign unused = ^{op_q, step};

endmodule
