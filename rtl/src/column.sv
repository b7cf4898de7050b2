// The clusters of one bank, the bank, and what moves between them: a column group runs one op at a time
// per unit (docs/machine.md, section 3, "Units").
//
// Ops come from the sequencer when their first action is due in the next cycle. `arrive` is the start of
// what comes from host or memory into the bank.
module column #(
  localparam int unsigned CLUSTERS = machine_pkg::BANK_CLUSTERS,
  localparam int unsigned BANKS    = machine_pkg::BANKS,
  localparam int unsigned LANES    = machine_pkg::LANES,
  localparam int unsigned READ     = machine_pkg::READ,
  localparam int unsigned PORT     = machine_pkg::PORT,
  localparam int unsigned REDUCE   = machine_pkg::REDUCE,
  localparam int unsigned BUS      = machine_pkg::BUS,
  localparam int unsigned WORD     = machine_pkg::WORD
) (
  input  logic                                      clk_i,
  input  logic                                      rst_ni,
  // Where the bank's clusters stand in a layout, from the loader.
  input  logic                                      deal_valid_i,
  input  logic                               [15:0] deal_layout_i,
  input  machine_pkg::deal_t [CLUSTERS-1:0]         deal_i,
  // A dry walk over a layout, for the loader to count its beats.
  input  logic                                      survey_i,
  input  logic                                      survey_tiles_i,
  output logic                                      survey_busy_o,
  // Ops whose window has this bank.
  input  logic                                      start_i,
  input  machine_pkg::op_t                          op_i,
  input  logic                                      arrive_i,
  input  machine_pkg::op_t                          arrive_op_i,
  // Beats of the blocks of a round and slot: this bank's and all banks', of each walk.
  output logic                               [31:0] read_beats_o,
  output logic                               [31:0] store_beats_o,
  output logic                               [31:0] arrive_beats_o,
  input  logic                    [BANKS-1:0][31:0] read_beats_i,
  input  logic                    [BANKS-1:0][31:0] store_beats_i,
  input  logic                    [BANKS-1:0][31:0] arrive_beats_i,
  // Memory and host: a beat is there the cycle after it was asked for.
  output machine_pkg::request_t                     stream_request_o,
  input  logic                     [PORT-1:0][15:0] stream_beat_i,
  output machine_pkg::request_t                     arrive_request_o,
  input  logic                     [PORT-1:0][15:0] arrive_beat_i,
  // To the host.
  output machine_pkg::request_t                     leave_o,
  output logic                               [31:0] leave_index_o,
  output logic                     [PORT-1:0][15:0] leave_beat_o,
  // Global broadcast memory.
  input  machine_pkg::window_t                      gather_i,
  output logic                      [BUS-1:0][15:0] gather_words_o,
  input  machine_pkg::fill_t                        fill_i,
  input  machine_pkg::fill_t                        sums_fill_i,
  // Partition network.
  output logic                                      dot_valid_o,
  output logic                                      sums_valid_o,
  output machine_pkg::tag_t                         tag_o,
  output logic        [CLUSTERS-1:0][REDUCE-1:0][WORD-1:0] sums_o
);
  localparam int unsigned X       = dcom_pkg::LANES_X;
  localparam int unsigned Y       = dcom_pkg::LANES_Y;
  localparam int unsigned ADD     = machine_pkg::ADD;
  localparam int unsigned BR      = dcom_pkg::BUFFER_READ_CYCLES;
  localparam int unsigned M       = dcom_pkg::MULTIPLY_CYCLES;
  localparam int unsigned KR      = dcom_pkg::BANK_READ_CYCLES;
  localparam int unsigned MEET    = machine_pkg::MEET;
  localparam int unsigned EXPOSED = dcom_pkg::EXPOSED_CYCLES;

  // ---- Tables ----

  machine_pkg::deal_t [CLUSTERS-1:0] deals_q[dcom_pkg::LAYOUTS];
  logic               [CLUSTERS-1:0] holds_q[dcom_pkg::LAYOUTS];  // has an element in some round
  logic [dcom_pkg::BUFFER_REGIONS-1:0][CLUSTERS-1:0] present_q;  // has partial sums
  always_ff @(posedge clk_i) if (deal_valid_i) deals_q[32'(deal_layout_i)] <= deal_i;

  // ---- Reading the bank: ld, ldt, out, streams, comb ----

  machine_pkg::op_t read_op_q;
  logic             is_read_op, read_valid, read_last_part, read_last, survey_q;
  logic [15:0]      read_layout;
  logic [31:0]      read_block, read_address, read_beat, read_base, read_group_beat, read_group_beats, read_position, read_part,
                    read_repetition, read_vector, read_repetitions;
  logic [CLUSTERS-1:0]       read_hits, read_first, read_seen;
  logic [CLUSTERS-1:0][31:0] read_element, read_own, read_field;
  logic is_stream_start, is_tile_start, is_comb_start;
  assign is_stream_start = machine_pkg::is_stream(op_i.opcode);
  assign is_comb_start   = op_i.opcode == dcom_pkg::OP_COMB;
  assign is_tile_start   = is_stream_start | (op_i.opcode == dcom_pkg::OP_LDT);
  assign is_read_op      = op_i.opcode == dcom_pkg::OP_LD || op_i.opcode == dcom_pkg::OP_OUT || is_comb_start || is_tile_start;
  // Elements of a block in a beat, in portions of what the buffer takes or the rows of lanes work on.
  logic [31:0] carried;
  assign carried = machine_pkg::minimum(op_i.layout.granule, PORT);
  always_comb begin
    read_repetitions = 32'd1;
    if (op_i.opcode == dcom_pkg::OP_LD) read_repetitions = machine_pkg::portions(op_i.layout.granule);
    if (op_i.opcode == dcom_pkg::OP_LDT) read_repetitions = machine_pkg::portions(LANES);
    if (is_comb_start) read_repetitions = (carried + Y - 32'd1) / Y;
    if (survey_i) read_repetitions = 32'd1;
  end
  walker i_read_walker (
    .clk_i,
    .rst_ni,
    .start_i        ((start_i & is_read_op) | survey_i),
    .layout_i       (op_i.layout),
    .layout_index_i (op_i.layout_index),
    .is_tile_i      (survey_i ? survey_tiles_i : is_tile_start),
    .positions_i    (is_tile_start & ~survey_i ? op_i.positions : 32'd1),
    .repetitions_i  (read_repetitions),
    .vectors_i      (is_comb_start & ~survey_i ? op_i.vectors : 32'd1),
    .is_paced_i     (is_tile_start & ~survey_i),
    .cycles_i       (op_i.cycles),
    .steps_i        (op_i.steps),
    .layout_index_o (read_layout),
    .deal_i         (deals_q[32'(read_layout)]),
    .beats_o        (read_beats_o),
    .all_beats_i    (read_beats_i),
    .busy_o         (survey_busy_o),
    .valid_o        (read_valid),
    .is_last_o      (read_last),
    .block_o        (read_block),
    .beat_o         (read_beat),
    .group_base_o   (read_base),
    .group_beat_o   (read_group_beat),
    .group_beats_o  (read_group_beats),
    .position_o     (read_position),
    .part_o         (read_part),
    .is_last_part_o (read_last_part),
    .repetition_o   (read_repetition),
    .vector_o       (read_vector),
    .hits_o         (read_hits),
    .seen_o         (read_seen),
    .is_first_o     (read_first),
    .element_o      (read_element),
    .own_o          (read_own),
    .field_o        (read_field)
  );
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) present_q <= '0;
    else if (start_i && op_i.is_across) present_q[op_i.buffer] <= holds_q[32'(op_i.layout_index)];
  end
  always_ff @(posedge clk_i) begin
    if ((start_i && is_read_op) || survey_i) begin
      read_op_q <= op_i;
      survey_q  <= survey_i;
    end
    if (read_last && survey_q) holds_q[32'(read_layout)] <= read_seen;
  end

  logic is_ld, is_ldt, is_out, is_comb, is_stream_op;
  assign is_ld        = ~survey_q & (read_op_q.opcode == dcom_pkg::OP_LD);
  assign is_ldt       = ~survey_q & (read_op_q.opcode == dcom_pkg::OP_LDT);
  assign is_out       = ~survey_q & (read_op_q.opcode == dcom_pkg::OP_OUT);
  assign is_comb      = ~survey_q & (read_op_q.opcode == dcom_pkg::OP_COMB);
  assign is_stream_op = ~survey_q & machine_pkg::is_stream(read_op_q.opcode);
  assign read_address = read_block * read_op_q.layout.granule;

  logic [31:0] read_row;
  assign read_row = is_stream_op | is_ldt
      ? read_op_q.bank_row + read_base * read_op_q.along + (read_op_q.first_tile + read_position) * read_group_beats + read_group_beat
      : read_op_q.bank_row + read_beat + read_vector * read_op_q.layout.vector_beats;

  // ---- Writing the bank: st ----

  machine_pkg::op_t store_op_q;
  logic             store_valid, store_last_part;
  logic [15:0]      store_layout;
  logic [31:0]      store_block, store_beat, store_part;
  logic [CLUSTERS-1:0]       store_hits;
  logic [CLUSTERS-1:0][31:0] store_field;
  /* verilator lint_off PINCONNECTEMPTY */  // of what a walker tells, stores and arrivals use a part
  walker i_store_walker (
    .clk_i,
    .rst_ni,
    .start_i        (start_i & (op_i.opcode == dcom_pkg::OP_ST)),
    .layout_i       (op_i.layout),
    .layout_index_i (op_i.layout_index),
    .is_tile_i      (1'b0),
    .positions_i    (32'd1),
    .repetitions_i  (32'd1),
    .vectors_i      (32'd1),
    .is_paced_i     (1'b0),
    .cycles_i       (32'd1),
    .steps_i        (32'd1),
    .layout_index_o (store_layout),
    .deal_i         (deals_q[32'(store_layout)]),
    .beats_o        (store_beats_o),
    .all_beats_i    (store_beats_i),
    .busy_o         (),
    .valid_o        (store_valid),
    .is_last_o      (),
    .block_o        (store_block),
    .beat_o         (store_beat),
    .group_base_o   (),
    .group_beat_o   (),
    .group_beats_o  (),
    .position_o     (),
    .part_o         (store_part),
    .is_last_part_o (store_last_part),
    .repetition_o   (),
    .vector_o       (),
    .hits_o         (store_hits),
    .seen_o         (),
    .is_first_o     (),
    .element_o      (),
    .own_o          (),
    .field_o        (store_field)
  );
  always_ff @(posedge clk_i) if (start_i && op_i.opcode == dcom_pkg::OP_ST) store_op_q <= op_i;

  // ---- Writing the bank: what arrives from host or memory ----

  machine_pkg::op_t arrive_op_q;
  logic             arrive_valid, arrive_last_part, is_tile_arrival;
  logic [15:0]      arrive_layout;
  logic [31:0]      arrive_beat, arrive_base, arrive_group_beat, arrive_group_beats, arrive_position, arrive_part;
  logic [CLUSTERS-1:0]       arrive_hits;
  logic [CLUSTERS-1:0][31:0] arrive_element, arrive_own, arrive_field;
  walker i_arrive_walker (
    .clk_i,
    .rst_ni,
    .start_i        (arrive_i),
    .layout_i       (arrive_op_i.layout),
    .layout_index_i (arrive_op_i.layout_index),
    .is_tile_i      (arrive_op_i.opcode == dcom_pkg::OP_INGEST),
    .positions_i    (arrive_op_i.positions),
    .repetitions_i  (32'd1),
    .vectors_i      (32'd1),
    .is_paced_i     (arrive_op_i.opcode == dcom_pkg::OP_INGEST),
    .cycles_i       (arrive_op_i.cycles),
    .steps_i        (arrive_op_i.steps),
    .layout_index_o (arrive_layout),
    .deal_i         (deals_q[32'(arrive_layout)]),
    .beats_o        (arrive_beats_o),
    .all_beats_i    (arrive_beats_i),
    .busy_o         (),
    .valid_o        (arrive_valid),
    .is_last_o      (),
    .block_o        (),
    .beat_o         (arrive_beat),
    .group_base_o   (arrive_base),
    .group_beat_o   (arrive_group_beat),
    .group_beats_o  (arrive_group_beats),
    .position_o     (arrive_position),
    .part_o         (arrive_part),
    .is_last_part_o (arrive_last_part),
    .repetition_o   (),
    .vector_o       (),
    .hits_o         (arrive_hits),
    .seen_o         (),
    .is_first_o     (),
    .element_o      (arrive_element),
    .own_o          (arrive_own),
    .field_o        (arrive_field)
  );
  /* verilator lint_on PINCONNECTEMPTY */
  always_ff @(posedge clk_i) if (arrive_i) arrive_op_q <= arrive_op_i;
  assign is_tile_arrival = arrive_op_q.opcode == dcom_pkg::OP_INGEST;
  always_comb begin
    arrive_request_o            = '0;
    arrive_request_o.valid      = arrive_valid & (arrive_hits != '0);
    arrive_request_o.is_host    = ~is_tile_arrival;
    arrive_request_o.index      = is_tile_arrival ? arrive_op_q.matrix : arrive_op_q.host;
    arrive_request_o.by_columns = arrive_op_q.by_columns;
    arrive_request_o.position   = arrive_position;
    arrive_request_o.part       = arrive_part;
    arrive_request_o.hits       = arrive_hits;
    arrive_request_o.element    = arrive_element;
    arrive_request_o.own        = arrive_own;
    arrive_request_o.field      = arrive_field;
  end

  // Elements that the blocks or tiles of a beat take up.
  function automatic logic [PORT-1:0] covered(
    logic [CLUSTERS-1:0] hits, logic [CLUSTERS-1:0][31:0] field, logic [31:0] size
  );
    covered = '0;
    for (int unsigned i = 0; i < CLUSTERS; i++) begin
      for (int unsigned j = 0; j < PORT; j++) begin
        if (hits[i] && j >= field[i] && j < field[i] + size) covered[j] = 1'b1;
      end
    end
  endfunction

  logic            arrive_write_valid;
  logic [31:0]     arrive_row, arrive_write_row, arrive_size;
  logic [PORT-1:0] arrive_enable;
  assign arrive_size = is_tile_arrival ? LANES : machine_pkg::minimum(arrive_op_q.layout.granule - arrive_part * PORT, PORT);
  assign arrive_row  = is_tile_arrival
      ? arrive_op_q.bank_row + arrive_base * arrive_op_q.along + arrive_position * arrive_group_beats + arrive_group_beat
      : arrive_op_q.bank_row + arrive_beat;
  delay_line #(
    .WIDTH  (32 + PORT),
    .LATENCY(1)
  ) i_arrive (
    .clk_i,
    .rst_ni,
    .valid_i(arrive_request_o.valid),
    .data_i ({arrive_row, covered(arrive_hits, arrive_field, arrive_size)}),
    .valid_o(arrive_write_valid),
    .data_o ({arrive_write_row, arrive_enable})
  );

  // What st has read goes to the bank.
  logic                           store_write_valid;
  logic [31:0]                    store_write_row, store_size, store_write_size;
  logic [PORT-1:0]                store_enable;
  logic [CLUSTERS-1:0]            store_write_hits;
  logic [CLUSTERS-1:0][31:0]      store_write_field;
  logic [CLUSTERS-1:0][READ-1:0][15:0] cluster_read;
  logic [PORT-1:0][15:0]          store_data;
  assign store_size = machine_pkg::minimum(store_op_q.layout.granule - store_part * PORT, PORT);
  delay_line #(
    .WIDTH  (64 + PORT + CLUSTERS * 33),
    .LATENCY(BR)
  ) i_store (
    .clk_i,
    .rst_ni,
    .valid_i(store_valid),
    .data_i ({store_op_q.bank_row + store_beat, store_size, covered(store_hits, store_field, store_size), store_hits, store_field}),
    .valid_o(store_write_valid),
    .data_o ({store_write_row, store_write_size, store_enable, store_write_hits, store_write_field})
  );
  always_comb begin
    store_data = '0;
    for (int unsigned i = 0; i < CLUSTERS; i++) begin
      for (int unsigned j = 0; j < PORT; j++) begin
        if (store_write_hits[i] && j >= store_write_field[i] && j - store_write_field[i] < store_write_size) begin
          store_data[j] |= cluster_read[i][(j-store_write_field[i])%READ];
        end
      end
    end
  end

  // ---- Bank ----

  logic [PORT-1:0][15:0] bank_beat;
  bank_memory #(
    .ROWS         (dcom_pkg::BANK_ROWS),
    .ELEMENTS     (PORT),
    .READ_LATENCY (KR),
    .WRITE_LATENCY(dcom_pkg::BANK_WRITE_CYCLES)
  ) i_bank (
    .clk_i,
    .rst_ni,
    .read_row_i    (read_row),
    .read_data_o   (bank_beat),
    .write_valid_i (store_write_valid | arrive_write_valid),
    .write_row_i   (store_write_valid ? store_write_row : arrive_write_row),
    .write_enable_i(store_write_valid ? store_enable : arrive_enable),
    .write_data_i  (store_write_valid ? store_data : arrive_beat_i)
  );

  // ---- Streams and comb: steps of the lanes, when the beat is on its way ----

  machine_pkg::feed_t   stream_feed, comb_feed, walk_feed, bank_feed, memory_feed;
  machine_pkg::result_t stream_result, comb_result, walk_result, bank_result, memory_result;
  logic                 stream_has_result, walk_has_result, bank_has_result, memory_has_result, from_memory, bank_valid, memory_valid;
  logic [15:0]          stream_delay, walk_delay, bank_delay, memory_delay;
  logic [31:0]          pass, block_part, block_left;
  assign from_memory = (is_stream_op | is_ldt) & ~read_op_q.is_resident;
  // Steps without a tile wait for sums to be written.
  product_step i_stream_step (
    .valid_i       (read_valid & is_stream_op & (read_position < read_op_q.tiles)),
    .op_i          (read_op_q),
    .block_i       (read_block),
    .position_i    (read_position),
    .part_i        (read_part),
    .is_last_part_i(read_last_part),
    .hits_i        (read_hits),
    .is_first_i    (read_first),
    .own_i         (read_own),
    .field_i       (read_field),
    .feed_o        (stream_feed),
    .has_result_o  (stream_has_result),
    .result_o      (stream_result),
    .delay_o       (stream_delay)
  );
  assign pass       = read_vector / X;
  assign block_part = read_part * PORT + read_repetition * Y;
  assign block_left = machine_pkg::minimum(read_op_q.layout.granule - read_part * PORT, PORT) - read_repetition * Y;
  always_comb begin
    comb_feed             = '0;
    comb_feed.valid       = read_valid & is_comb;
    comb_feed.feed        = machine_pkg::FEED_COMB;
    comb_feed.hits        = read_hits;
    comb_feed.own         = read_own;
    comb_feed.field       = read_field;
    comb_feed.address_b   = read_op_q.b + pass * X;
    comb_feed.common      = read_op_q.count - pass * X;
    comb_feed.lane        = read_vector % X;
    comb_feed.sub         = read_repetition * Y;
    comb_feed.last_pass   = pass == (read_op_q.count - 32'd1) / X;
    comb_feed.last_part   = (read_vector % X == X - 1) | (read_vector == read_op_q.vectors - 32'd1);
    comb_result           = '0;
    comb_result.sum       = machine_pkg::SUM_ROWS;
    comb_result.hits      = read_hits;
    comb_result.last_part = 1'b1;
    comb_result.address   = read_op_q.z + read_address + block_part;
    comb_result.elements  = machine_pkg::minimum(block_left, Y);
    walk_feed       = stream_feed;
    walk_result     = stream_result;
    walk_has_result = stream_has_result;
    walk_delay      = stream_delay;
    if (is_comb) begin
      walk_feed       = comb_feed;
      walk_result     = comb_result;
      walk_has_result = comb_feed.valid & comb_feed.last_part & comb_feed.last_pass;
      walk_delay      = 16'(BR + M + machine_pkg::ROW_TREE)
                      + 16'(ADD) * 16'(machine_pkg::log2_ceil((read_op_q.count + X - 32'd1) / X));
    end
  end
  localparam int unsigned STEP = $bits(machine_pkg::feed_t) + $bits(machine_pkg::result_t) + 17;
  delay_line #(
    .WIDTH  (STEP),
    .LATENCY(MEET - BR)
  ) i_bank_step (
    .clk_i,
    .rst_ni,
    .valid_i(walk_feed.valid & ~from_memory),
    .data_i ({walk_feed, walk_result, walk_has_result, walk_delay}),
    .valid_o(bank_valid),
    .data_o ({bank_feed, bank_result, bank_has_result, bank_delay})
  );
  delay_line #(
    .WIDTH  (STEP),
    .LATENCY(MEET + EXPOSED - BR)
  ) i_memory_step (
    .clk_i,
    .rst_ni,
    .valid_i(walk_feed.valid & from_memory),
    .data_i ({walk_feed, walk_result, walk_has_result, walk_delay}),
    .valid_o(memory_valid),
    .data_o ({memory_feed, memory_result, memory_has_result, memory_delay})
  );

  always_comb begin
    stream_request_o            = '0;
    stream_request_o.valid      = (stream_feed.valid | (read_valid & is_ldt & (read_repetition == '0))) & from_memory
                                & (read_hits != '0);
    stream_request_o.index      = read_op_q.matrix;
    stream_request_o.by_columns = read_op_q.by_columns;
    stream_request_o.position   = read_op_q.first_tile + read_position;
    stream_request_o.part       = read_part;
    stream_request_o.hits       = read_hits;
    stream_request_o.element    = read_element;
    stream_request_o.own        = read_own;
    stream_request_o.field      = read_field;
  end

  logic [PORT-1:0][15:0] bank_operand, memory_beat, memory_operand, operand_beat;
  logic                  beat_from_memory;
  delay #(
    .WIDTH  (16 * PORT),
    .LATENCY(MEET - KR)
  ) i_bank_beat (
    .clk_i,
    .data_i(bank_beat),
    .data_o(bank_operand)
  );
  // The pipeline from memory is as long as a bank's latency and what shows of the memory's.
  delay #(
    .WIDTH  (16 * PORT),
    .LATENCY(KR + EXPOSED - 1)
  ) i_memory_beat (
    .clk_i,
    .data_i(stream_beat_i),
    .data_o(memory_beat)
  );
  delay #(
    .WIDTH  (16 * PORT),
    .LATENCY(MEET - KR)
  ) i_memory_operand (
    .clk_i,
    .data_i(memory_beat),
    .data_o(memory_operand)
  );
  delay #(
    .WIDTH  (1),
    .LATENCY(BR)
  ) i_beat_source (
    .clk_i,
    .data_i(memory_valid),
    .data_o(beat_from_memory)
  );
  assign operand_beat = beat_from_memory ? memory_operand : bank_operand;

  // ---- The step whose operands are read now ----

  machine_pkg::feed_t   lane_feed, tile_feed, store_feed, read_feed, operand_feed;
  machine_pkg::result_t lane_result, tile_result, entering;
  machine_pkg::tag_t    lane_tag, sums_tag, dot_tag;
  logic                 lane_has_result, lane_dot, lane_sums, tile_has_result, entering_valid;
  logic [15:0]          lane_layout, lane_delay, tile_layout, tile_delay, entering_delay;
  lane_runner i_lane_runner (
    .clk_i,
    .rst_ni,
    .start_i       (start_i & (op_i.opcode == dcom_pkg::OP_DOT || op_i.opcode == dcom_pkg::OP_CORR
                    || op_i.opcode == dcom_pkg::OP_AXPY || op_i.opcode == dcom_pkg::OP_SCALE
                    || op_i.opcode == dcom_pkg::OP_NARROW || op_i.opcode == dcom_pkg::OP_CSUM
                    || op_i.opcode == dcom_pkg::OP_PREDUCE)),
    .op_i,
    .layout_index_o(lane_layout),
    .deal_i        (deals_q[32'(lane_layout)]),
    .feed_o        (lane_feed),
    .has_result_o  (lane_has_result),
    .result_o      (lane_result),
    .delay_o       (lane_delay),
    .dot_valid_o   (lane_dot),
    .sums_valid_o  (lane_sums),
    .tag_o         (lane_tag)
  );
  tile_runner i_tile_runner (
    .clk_i,
    .rst_ni,
    .start_i       (start_i & (op_i.opcode == dcom_pkg::OP_TMVN || op_i.opcode == dcom_pkg::OP_TMVT)),
    .op_i,
    .layout_index_o(tile_layout),
    .deal_i        (deals_q[32'(tile_layout)]),
    .feed_o        (tile_feed),
    .has_result_o  (tile_has_result),
    .result_o      (tile_result),
    .delay_o       (tile_delay)
  );
  always_comb begin
    store_feed           = '0;
    store_feed.valid     = store_valid;
    store_feed.feed      = machine_pkg::FEED_READ;
    store_feed.address_a = store_op_q.a + store_block * store_op_q.layout.granule + store_part * PORT;
  end
  // A step of one of them at a time: the unit `lanes`.
  always_comb begin
    read_feed = lane_feed;
    if (tile_feed.valid) read_feed = tile_feed;
    if (bank_valid) read_feed = bank_feed;
    if (memory_valid) read_feed = memory_feed;
    if (store_valid) read_feed = store_feed;
    read_feed.valid = lane_feed.valid | tile_feed.valid | bank_valid | memory_valid | store_valid;
    entering_valid  = lane_has_result | tile_has_result | (bank_valid & bank_has_result) | (memory_valid & memory_has_result);
    entering        = lane_result;
    entering_delay  = lane_delay;
    if (tile_feed.valid) {entering, entering_delay} = {tile_result, tile_delay};
    if (bank_valid) {entering, entering_delay} = {bank_result, bank_delay};
    if (memory_valid) {entering, entering_delay} = {memory_result, memory_delay};
  end
  logic operand_valid;
  machine_pkg::feed_t operand_data;
  delay_line #(
    .WIDTH  ($bits(machine_pkg::feed_t)),
    .LATENCY(BR)
  ) i_operand (
    .clk_i,
    .rst_ni,
    .valid_i(read_feed.valid),
    .data_i (read_feed),
    .valid_o(operand_valid),
    .data_o (operand_data)
  );
  always_comb begin
    operand_feed       = operand_data;
    operand_feed.valid = operand_valid;
  end

  // ---- Results ----

  localparam int unsigned LONGEST = BR + M + machine_pkg::ROW_TREE + machine_pkg::COLUMN_TREE
                                  + ADD * (dcom_pkg::ACCUMULATOR_LEVELS + 1);
  machine_pkg::result_t z_read, z_event, due;
  logic                 z_read_valid, z_valid, due_valid;
  event_queue #(
    .WIDTH($bits(machine_pkg::result_t)),
    .DEPTH(LONGEST),
    .TAP  (BR + ADD)
  ) i_results (
    .clk_i,
    .rst_ni,
    .enter_i    (entering_valid),
    .delay_i    (entering_delay),
    .event_i    (entering),
    .tap_valid_o(z_read_valid),
    .tap_o      (z_read),
    .due_valid_o(due_valid),
    .due_o      (due)
  );
  delay_line #(
    .WIDTH  ($bits(machine_pkg::result_t)),
    .LATENCY(BR)
  ) i_z (
    .clk_i,
    .rst_ni,
    .valid_i(z_read_valid & z_read.has_z),
    .data_i (z_read),
    .valid_o(z_valid),
    .data_o (z_event)
  );

  // ---- Sums for the partition network ----

  logic [31:0] dot_round_len_q;
  always_ff @(posedge clk_i) if (start_i && op_i.opcode == dcom_pkg::OP_DOT) dot_round_len_q <= op_i.layout.round_len;
  logic              dot_due, unused_dot_tap_valid;
  machine_pkg::tag_t unused_dot_tap;
  event_queue #(
    .WIDTH($bits(machine_pkg::tag_t)),
    .DEPTH(LONGEST),
    .TAP  (0)
  ) i_dots (
    .clk_i,
    .rst_ni,
    .enter_i    (lane_dot),
    .delay_i    (16'(BR + M + machine_pkg::ROW_TREE + machine_pkg::COLUMN_TREE)
                 + 16'(ADD) * 16'(machine_pkg::log2_ceil((dot_round_len_q + LANES - 32'd1) / LANES))),
    .event_i    (lane_tag),
    .tap_valid_o(unused_dot_tap_valid),
    .tap_o      (unused_dot_tap),
    .due_valid_o(dot_due),
    .due_o      (dot_tag)
  );
  logic        sums_due;
  logic [15:0] sums_buffer, lane_buffer_q;
  always_ff @(posedge clk_i) if (start_i && op_i.opcode == dcom_pkg::OP_PREDUCE) lane_buffer_q <= op_i.buffer[15:0];
  delay_line #(
    .WIDTH  ($bits(machine_pkg::tag_t) + 16),
    .LATENCY(BR)
  ) i_sums (
    .clk_i,
    .rst_ni,
    .valid_i(lane_sums),
    .data_i ({lane_tag, lane_buffer_q}),
    .valid_o(sums_due),
    .data_o ({sums_tag, sums_buffer})
  );
  assign dot_valid_o  = dot_due;
  assign sums_valid_o = sums_due;
  assign tag_o        = dot_due ? dot_tag : sums_tag;

  // ---- From bank and global broadcast memory to the buffers ----

  logic                      ld_valid;
  logic [31:0]               ld_address, ld_elements;
  logic [CLUSTERS-1:0]       ld_hits;
  logic [CLUSTERS-1:0][31:0] ld_field;
  logic [PORT-1:0][15:0]     ld_beat;
  bank_fill i_fill (
    .clk_i,
    .rst_ni,
    .valid_i      (read_valid & (is_ld | is_ldt)),
    .op_i         (read_op_q),
    .block_i      (read_block),
    .position_i   (read_position),
    .part_i       (read_part),
    .repetition_i (read_repetition),
    .hits_i       (read_hits),
    .field_i      (read_field),
    .bank_beat_i  (bank_beat),
    .memory_beat_i(memory_beat),
    .valid_o      (ld_valid),
    .address_o    (ld_address),
    .elements_o   (ld_elements),
    .hits_o       (ld_hits),
    .field_o      (ld_field),
    .beat_o       (ld_beat)
  );

  logic                  leave_valid;
  machine_pkg::request_t leave_data;
  delay_line #(
    .WIDTH  ($bits(machine_pkg::request_t) + 32),
    .LATENCY(KR)
  ) i_leave (
    .clk_i,
    .rst_ni,
    .valid_i(read_valid & is_out),
    .data_i ({1'b1, 1'b1, read_op_q.matrix, 1'b0, 32'd0, read_part, read_hits, read_element, read_own, read_field,
              read_op_q.side_index}),
    .valid_o(leave_valid),
    .data_o ({leave_data, leave_index_o})
  );
  always_comb begin
    leave_o       = leave_data;
    leave_o.valid = leave_valid;
  end
  assign leave_beat_o = bank_beat;

  // ---- Clusters ----

  machine_pkg::window_t gather_operand;
  logic                 gather_operand_valid;
  logic [CLUSTERS-1:0][31:0] gather_base, gather_base_operand;
  delay_line #(
    .WIDTH  ($bits(machine_pkg::window_t) + 32 * CLUSTERS),
    .LATENCY(BR)
  ) i_gather (
    .clk_i,
    .rst_ni,
    .valid_i(gather_i.valid),
    .data_i ({gather_i, gather_base}),
    .valid_o(gather_operand_valid),
    .data_o ({gather_operand, gather_base_operand})
  );

  logic [CLUSTERS-1:0][BUS-1:0][15:0] gathered;
  logic [CLUSTERS-1:0]                partial_valid;
  always_comb begin
    gather_words_o = '0;
    for (int unsigned i = 0; i < CLUSTERS; i++) gather_words_o |= gathered[i];
  end

  for (genvar i = 0; i < CLUSTERS; i++) begin : gen_cluster
    machine_pkg::deal_t source, target, sums_target;
    logic [31:0]            fill_address, window_base, unused_base, sums_window_base;
    logic [LANES-1:0]       fill_enable, window_enable, sums_enable;
    logic [LANES-1:0][15:0] fill_data, window_data, sums_data;
    logic                   fill_valid, window_valid, sums_window_valid;
    logic [REDUCE-1:0][WORD-1:0] sums;
    logic [WORD-1:0]             partial;
    logic [BUS-1:0]              unused_mine;

    // Reading for a gather: the cluster's elements of the window are consecutive. Only their address is of use.
    assign source = deals_q[32'(gather_i.layout_index)][i];
    /* verilator lint_off PINCONNECTEMPTY */  // as said above
    scatter i_source (
      .window_i(gather_i),
      .deal_i  (source),
      .words_i ('0),
      .valid_o (),
      .base_o  (gather_base[i]),
      .enable_o(),
      .data_o  ()
    );
    /* verilator lint_on PINCONNECTEMPTY */
    for (genvar j = 0; j < BUS; j++) begin : gen_word
      logic mine;
      assign mine = gather_operand_valid & (32'(j) < gather_operand.elements)
                  & deals_q[32'(gather_operand.layout_index)][i].held
                  & (deals_q[32'(gather_operand.layout_index)][i].partition == gather_operand.partition)
                  & (deals_q[32'(gather_operand.layout_index)][i].position == gather_operand.owner[j]);
      assign gathered[i][j] = mine ? cluster_read[i][(gather_operand.local_address[j]-gather_base_operand[i])%READ] : '0;
    end

    // Writing from the column bus.
    assign target      = deals_q[32'(fill_i.layout_index)][i];
    assign sums_target = deals_q[32'(sums_fill_i.layout_index)][i];
    scatter i_target (
      .window_i(fill_i.window),
      .deal_i  (target),
      .words_i (fill_i.words),
      .valid_o (window_valid),
      .base_o  (window_base),
      .enable_o(window_enable),
      .data_o  (window_data)
    );
    scatter i_sums_target (
      .window_i(sums_fill_i.window),
      .deal_i  (sums_target),
      .words_i (sums_fill_i.words),
      .valid_o (sums_window_valid),
      .base_o  (sums_window_base),
      .enable_o(sums_enable),
      .data_o  (sums_data)
    );
    always_comb begin
      fill_valid   = 1'b0;
      fill_address = ld_address;
      fill_enable  = '0;
      fill_data    = '0;
      if (ld_valid) begin
        fill_valid = ld_hits[i];
        for (int unsigned j = 0; j < LANES; j++) begin
          fill_enable[j] = j < ld_elements;
          fill_data[j]   = ld_beat[(ld_field[i]+j)%PORT];
        end
      end else if (fill_i.valid && fill_i.mode == machine_pkg::FILL_SAME && target.held) begin
        fill_valid   = 1'b1;
        fill_address = fill_i.address;
        for (int unsigned j = 0; j < LANES; j++) begin
          fill_enable[j] = j < fill_i.elements;
          fill_data[j]   = fill_i.words[j%BUS];
        end
      end else if (fill_i.valid && fill_i.mode == machine_pkg::FILL_WINDOW && window_valid) begin
        fill_valid   = 1'b1;
        fill_address = fill_i.window.base + window_base;
        fill_enable  = window_enable;
        fill_data    = window_data;
      end else if (sums_fill_i.valid && sums_window_valid) begin
        fill_valid   = 1'b1;
        fill_address = sums_fill_i.window.base + sums_window_base;
        fill_enable  = sums_enable;
        fill_data    = sums_data;
      end
    end

    cluster i_cluster (
      .clk_i,
      .rst_ni,
      .address_a_i    (gather_i.valid & source.held ? gather_i.base + gather_base[i] : read_feed.address_a),
      .address_b_i    (read_feed.address_b),
      .feed_i         (operand_feed),
      .hit_i          (operand_feed.hits[i]),
      .own_i          (operand_feed.own[i]),
      .field_i        (operand_feed.field[i]),
      .beat_i         (operand_beat),
      .read_o         (cluster_read[i]),
      .sums_o         (sums),
      .z_read_i       (z_read),
      .z_valid_i      (z_valid),
      .z_event_i      (z_event),
      .z_hit_i        (z_event.hits[i]),
      .z_first_i      (z_event.is_first[i]),
      .result_valid_i (due_valid),
      .result_event_i (due),
      .result_hit_i   (due.hits[i]),
      .fill_valid_i   (fill_valid),
      .fill_address_i (fill_address),
      .fill_enable_i  (fill_enable),
      .fill_data_i    (fill_data),
      .partial_valid_o(partial_valid[i]),
      .partial_o      (partial)
    );
    always_comb begin
      sums_o[i] = present_q[32'(sums_buffer)][i] ? sums : '0;
      if (dot_due) sums_o[i][0] = partial;
    end
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) partial_valid == {CLUSTERS{dot_due}})
  else $error("column: a sum of dot is due and there is none, or the other way round");
  assert property (@(posedge clk_i) disable iff (!rst_ni) $onehot0({lane_feed.valid, tile_feed.valid, bank_valid, memory_valid, store_valid}))
  else $error("column: two ops read operands in one cycle");
  assert property (@(posedge clk_i) disable iff (!rst_ni) !(store_write_valid && arrive_write_valid))
  else $error("column: two ops write the bank in one cycle");
`endif

  logic unused;
  assign unused = ^{store_last_part, arrive_last_part, carried, read_own, sums_fill_i, read_op_q, store_op_q, arrive_op_q, gather_operand};

endmodule
