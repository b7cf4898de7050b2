// Walks over what the clusters of a bank hold of a layout, beat by beat, as the bank's port moves it:
// rounds, slots, tile positions, beats, repetitions, vectors, from the outside in.
//
// The first step is in the cycle after `start_i`. The banks of a window walk in step: each tells how
// many beats its blocks of the current round and slot take, and all go by the most of them. A paced walk
// spreads its steps evenly over its cycles; the last step is in the last cycle.
module walker #(
  localparam int unsigned CLUSTERS = machine_pkg::BANK_CLUSTERS
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  input  logic                                start_i,
  input  machine_pkg::layout_t                layout_i,
  input  logic                         [15:0] layout_index_i,
  // What a beat carries: vector blocks, or tiles.
  input  logic                                is_tile_i,
  input  logic                         [31:0] positions_i,
  input  logic                         [31:0] repetitions_i,
  input  logic                         [31:0] vectors_i,
  input  logic                                is_paced_i,
  input  logic                         [31:0] cycles_i,
  input  logic                         [31:0] steps_i,
  // Places of the bank's clusters in the layout of the walk.
  output logic                         [15:0] layout_index_o,
  input  machine_pkg::deal_t [CLUSTERS-1:0]   deal_i,
  output logic                         [31:0] beats_o,
  input  logic [machine_pkg::BANKS-1:0][31:0] all_beats_i,      // of all banks
  output logic                                busy_o,
  output logic                                valid_o,
  output logic                                is_last_o,
  output logic                         [31:0] block_o,          // local block of the clusters
  output logic                         [31:0] beat_o,           // since the start, as if there were one position
  output logic                         [31:0] group_base_o,     // of these, before this round and slot
  output logic                         [31:0] group_beat_o,
  output logic                         [31:0] group_beats_o,
  output logic                         [31:0] position_o,
  output logic                         [31:0] part_o,           // of a block or tile wider than the port
  output logic                                is_last_part_o,
  output logic                         [31:0] repetition_o,
  output logic                         [31:0] vector_o,
  output logic         [CLUSTERS-1:0]         hits_o,
  output logic         [CLUSTERS-1:0]         seen_o,           // with the step's: the clusters that had a block
  output logic         [CLUSTERS-1:0]         is_first_o,       // the cluster had no block before
  output logic         [CLUSTERS-1:0][31:0]   element_o,        // of the vector: first of the block
  output logic         [CLUSTERS-1:0][31:0]   own_o,            // elements of the block
  output logic         [CLUSTERS-1:0][31:0]   field_o           // first element of the block or tile in the beat
);
  localparam int unsigned PORT  = machine_pkg::PORT;
  localparam int unsigned LANES = machine_pkg::LANES;
  localparam int unsigned X     = dcom_pkg::LANES_X;
  localparam int unsigned Y     = dcom_pkg::LANES_Y;

  machine_pkg::layout_t layout_q;
  logic                 busy_q, is_tile_q, is_paced_q;
  logic [15:0]          index_q;
  logic [31:0]          positions_q, repetitions_q, vectors_q, cycles_q, steps_q;
  logic [31:0]          round_q, rotation_q, slot_q, group_base_q;
  logic [31:0]          position_q, beat_q, repetition_q, vector_q, pace_q;
  logic [CLUSTERS-1:0]  seen_q;

  // ---- What a beat carries ----

  logic is_x;
  logic [31:0] per_beat, parts;
  assign is_x = layout_q.granule == X;
  always_comb begin
    if (is_tile_q) begin
      per_beat = PORT / LANES > 0 ? PORT / LANES : 1;
      parts    = (LANES + PORT - 1) / PORT;
    end else if (is_x) begin
      per_beat = PORT / X > 0 ? PORT / X : 1;
      parts    = (X + PORT - 1) / PORT;
    end else begin
      per_beat = PORT / Y > 0 ? PORT / Y : 1;
      parts    = (Y + PORT - 1) / PORT;
    end
  end
  logic [31:0] size;
  assign size = is_tile_q ? LANES : layout_q.granule;

  // ---- The clusters' blocks of this round and slot ----

  logic [CLUSTERS-1:0][31:0] slice, block, blocks, elements, rank;
  logic [CLUSTERS-1:0]       has_block;
  for (genvar i = 0; i < CLUSTERS; i++) begin : gen_share
    share i_share (
      .layout_i  (layout_q),
      .deal_i    (deal_i[i]),
      .round_i   (round_q),
      .rotation_i(rotation_q),
      .slice_o   (slice[i]),
      .block_o   (block[i]),
      .blocks_o  (blocks[i]),
      .elements_o(elements[i])
    );
    assign has_block[i] = slot_q < blocks[i];
    assign element_o[i] = slice[i] * layout_q.slice_len + (slot_q * layout_q.clusters + block[i]) * layout_q.granule;
    assign own_o[i]     = machine_pkg::minimum(elements[i] - slot_q * layout_q.granule, layout_q.granule);
  end
  logic [31:0] held;
  always_comb begin
    held = '0;
    for (int unsigned i = 0; i < CLUSTERS; i++) begin
      rank[i] = held;
      held    = held + 32'(has_block[i]);
    end
  end
  // Either a beat carries several units, or a unit takes several beats.
  assign beats_o = (held + per_beat - 32'd1) / per_beat * parts;

  logic [31:0] most_beats;
  always_comb begin
    most_beats = '0;
    for (int unsigned i = 0; i < machine_pkg::BANKS; i++) begin
      if (layout_q.banks[i]) most_beats = machine_pkg::maximum(most_beats, all_beats_i[i]);
    end
  end

  // ---- Steps ----

  logic [31:0] sum;
  logic        go, last_vector, last_repetition, last_beat, last_position, last_slot, last_round;
  assign sum             = pace_q + steps_q;
  assign go              = busy_q & (~is_paced_q | (sum >= cycles_q));
  assign last_vector     = vector_q + 32'd1 == vectors_q;
  assign last_repetition = repetition_q + 32'd1 == repetitions_q;
  assign last_beat       = beat_q + 32'd1 == most_beats;
  assign last_position   = position_q + 32'd1 == positions_q;
  assign last_round      = round_q + 32'd1 == layout_q.rounds;
  assign last_slot       = slot_q + 32'd1 == (last_round ? layout_q.last_slots : layout_q.slots);

  logic end_vector, end_repetition, end_beat, end_position, end_slot;
  assign end_vector     = go & last_vector;
  assign end_repetition = end_vector & last_repetition;
  assign end_beat       = end_repetition & last_beat;
  assign end_position   = end_beat & last_position;
  assign end_slot       = end_position & last_slot;
  assign is_last_o      = end_slot & last_round;

  logic [31:0] rotation_sum;
  assign rotation_sum = rotation_q + layout_q.blocks_modulo;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) busy_q <= 1'b0;
    else if (start_i) busy_q <= 1'b1;
    else if (is_last_o) busy_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      layout_q      <= layout_i;
      index_q       <= layout_index_i;
      is_tile_q     <= is_tile_i;
      positions_q   <= positions_i;
      repetitions_q <= repetitions_i;
      vectors_q     <= vectors_i;
      is_paced_q    <= is_paced_i;
      cycles_q      <= cycles_i;
      steps_q       <= steps_i;
      round_q       <= '0;
      rotation_q    <= '0;
      slot_q        <= '0;
      group_base_q  <= '0;
      position_q    <= '0;
      beat_q        <= '0;
      repetition_q  <= '0;
      vector_q      <= '0;
      pace_q        <= '0;
      seen_q        <= '0;
    end else if (busy_q) begin
      pace_q <= go ? sum - cycles_q : sum;
      if (go) vector_q <= last_vector ? '0 : vector_q + 32'd1;
      if (end_vector) repetition_q <= last_repetition ? '0 : repetition_q + 32'd1;
      if (end_repetition) beat_q <= last_beat ? '0 : beat_q + 32'd1;
      if (end_beat) position_q <= last_position ? '0 : position_q + 32'd1;
      if (end_position) begin
        seen_q       <= seen_q | has_block;
        group_base_q <= group_base_q + most_beats;
        slot_q       <= last_slot ? '0 : slot_q + 32'd1;
      end
      if (end_slot) begin
        round_q    <= round_q + 32'd1;
        rotation_q <= rotation_sum >= layout_q.clusters ? rotation_sum - layout_q.clusters : rotation_sum;
      end
    end
  end

  assign layout_index_o  = index_q;
  assign busy_o          = busy_q;
  assign valid_o         = go;
  assign block_o         = round_q * layout_q.slots + slot_q;
  assign group_base_o    = group_base_q;
  assign group_beat_o    = beat_q;
  assign group_beats_o   = most_beats;
  assign beat_o          = group_base_q + beat_q;
  assign position_o      = position_q;
  assign part_o          = beat_q % parts;
  assign is_last_part_o  = part_o == parts - 32'd1;
  assign repetition_o    = repetition_q;
  assign vector_o        = vector_q;
  assign is_first_o      = ~seen_q;
  assign seen_o          = seen_q | has_block;
  for (genvar i = 0; i < CLUSTERS; i++) begin : gen_hit
    assign hits_o[i]  = go & has_block[i] & (rank[i] / per_beat == beat_q / parts);
    assign field_o[i] = rank[i] % per_beat * size;
  end

endmodule
