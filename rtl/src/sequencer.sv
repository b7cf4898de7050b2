// Takes a program in its binary form, works out its layouts and the plan of every instruction, and issues
// them in order: operands by the cycle from which they can be used, units by the cycle from which they are
// free (docs/machine.md, section 3, "Issue"). No time is in the program; what loading takes is not part of a
// run.
//
// Plans are worked out while loading and kept whole, and times are absolute: a device of the model, not a
// proposal for the control of a chip (docs/machine.md, "What the RTL covers").
module sequencer #(
  localparam int unsigned BANKS    = machine_pkg::BANKS,
  localparam int unsigned CLUSTERS = machine_pkg::CLUSTERS,
  localparam int unsigned CHANNELS = dcom_pkg::CHANNELS
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  // The program, word by word.
  input  logic                              word_valid_i,
  input  logic [31:0]                       word_i,
  input  rate_pkg::rate_t                   link_rate_i,
  input  rate_pkg::rate_t                   stream_rate_i,
  input  rate_pkg::rate_t                   ingest_rate_i,
  // Layouts, for the columns.
  output logic                              deal_valid_o,
  output logic [15:0]                       deal_layout_o,
  output machine_pkg::deal_t [CLUSTERS-1:0] deals_o,
  output logic [BANKS-1:0]                  survey_o,
  output logic                              survey_tiles_o,
  input  logic [BANKS-1:0]                  survey_busy_i,
  // Ops, in the cycle before their first action; while loading, the layout to survey.
  output logic                              start_o,
  output logic [BANKS-1:0]                  start_banks_o,
  output machine_pkg::op_t                  op_o,
  // The scalar unit's registers.
  input  logic [dcom_pkg::REGISTERS-1:0][31:0] registers_i,
  input  logic [dcom_pkg::PREDICATES-1:0]      set_i,
  input  logic [dcom_pkg::MATRICES-1:0][31:0]  squares_i,
  // A layout by its number, for the partition network.
  input  logic [15:0]                       layout_index_i,
  output machine_pkg::layout_t              layout_o,
  output machine_pkg::deal_t [CLUSTERS-1:0] layout_deals_o,
  // Record of issues. Cycles count from the first possible one.
  output logic                              record_valid_o,
  output logic                              record_skipped_o,
  output logic [31:0]                       record_pc_o,
  output logic [31:0]                       record_iteration_o,
  output logic [47:0]                       record_issue_o,
  output logic [47:0]                       record_done_o,
  output logic [plan_pkg::UNITS-1:0]        record_units_o,
  output logic                              running_o,
  output logic                              finished_o,
  output logic                              error_o
);

  if (BANKS > 32) begin : gen_bank_check
    $error("sequencer: at most 32 banks");
  end

  // ---- Tables ----

  machine_pkg::layout_t              layouts_q[dcom_pkg::LAYOUTS];
  machine_pkg::deal_t [CLUSTERS-1:0] deals_q[dcom_pkg::LAYOUTS];
  tables_pkg::matrix_t               matrices_q[dcom_pkg::MATRICES];
  tables_pkg::buffer_t               buffers_q[dcom_pkg::BUFFER_REGIONS];
  tables_pkg::stack_t                stacks_q[dcom_pkg::STACKS];
  tables_pkg::global_t               globals_q[dcom_pkg::GLOBAL_REGIONS];
  logic [15:0][15:0]                 instructions_q[dcom_pkg::INSTRUCTIONS];
  plan_pkg::plan_t                   plans_q[dcom_pkg::INSTRUCTIONS];
  logic                              overlap_ingest_q;
  logic [31:0]                       layout_count_q, instruction_count_q;
  assign layout_o       = layouts_q[32'(layout_index_i)];
  assign layout_deals_o = deals_q[32'(layout_index_i)];

  // ---- Loading: header, then six tables with their lengths ----

  typedef enum logic [4:0] {
    LOAD_MAGIC,
    LOAD_VERSION,
    LOAD_CHANNELS,
    LOAD_OVERLAP,
    LOAD_LENGTH,
    LOAD_ENTRY,
    DERIVE,
    DEAL,
    SURVEY_VECTOR,
    SURVEY_TILES,
    LOOK_UP,
    SEGMENTS,
    PLAN,
    CLEAR,
    RUN,
    DRAIN,
    FINISHED
  } state_e;
  state_e      state_q;
  logic        error_q;
  logic [2:0]  table_q;
  logic [31:0] entries_q, entry_q, field_q, vectors_q, fields;
  logic [15:0][31:0] words_q, words;
  always_comb begin
    unique case (table_q)
      3'd0:    fields = 32'd8;  // layouts
      3'd1:    fields = 32'd7;  // matrices
      3'd2:    fields = 32'd4;  // buffers
      3'd3:    fields = 32'd3;  // banks
      3'd4:    fields = 32'd2;  // globals
      default: fields = 32'd8;  // instructions
    endcase
  end
  always_comb begin
    words          = words_q;
    words[field_q[3:0]] = word_i;
  end
  logic entry_ends, table_ends;
  assign entry_ends = (state_q == LOAD_ENTRY) & word_valid_i & (field_q + 32'd1 == fields);
  assign table_ends = (entry_ends & (entry_q + 32'd1 == entries_q))
                    | ((state_q == LOAD_LENGTH) & word_valid_i & (word_i == '0));

  // ---- Layouts: sizes, places, beats ----

  logic [31:0]          index_q, place_q, survey_q;
  machine_pkg::layout_t raw, derived;
  logic [31:0]          blocks, last_length, last_blocks;
  logic [CLUSTERS-1:0][31:0] ranks_q;
  machine_pkg::deal_t [CLUSTERS-1:0] dealing_q;
  logic [BANKS-1:0]     window_q;
  logic                 survey_runs_q;
  assign raw = layouts_q[index_q];
  always_comb begin
    derived            = raw;
    derived.slice_len  = machine_pkg::ceil_div(raw.len, raw.slices);
    derived.parts      = machine_pkg::ceil_div(raw.len, derived.slice_len);
    blocks             = machine_pkg::ceil_div(derived.slice_len, raw.granule);
    derived.slots      = machine_pkg::ceil_div(blocks, raw.clusters);
    derived.rounds     = machine_pkg::ceil_div(derived.parts, raw.count);
    derived.round_len  = derived.slots * raw.granule;
    derived.blocks_modulo  = blocks % raw.clusters;
    derived.full_quotient  = (blocks - 32'd1) / raw.clusters;
    derived.full_remainder = (blocks - 32'd1) % raw.clusters;
    derived.full_missing   = blocks * raw.granule - derived.slice_len;
    last_length            = raw.len - (derived.parts - 32'd1) * derived.slice_len;
    last_blocks            = machine_pkg::ceil_div(last_length, raw.granule);
    derived.last_quotient  = (last_blocks - 32'd1) / raw.clusters;
    derived.last_remainder = (last_blocks - 32'd1) % raw.clusters;
    derived.last_missing   = last_blocks * raw.granule - last_length;
    derived.engaged        = machine_pkg::minimum(derived.parts, raw.count);
    derived.levels         = machine_pkg::log2_ceil(raw.clusters);
    // The last round may have the last slice alone.
    derived.last_slots     = (derived.rounds - 32'd1) * raw.count + 32'd1 == derived.parts
                           ? derived.last_quotient + 32'd1 : derived.slots;
  end

  // Clusters take their places in the order of rows, then columns.
  logic [31:0] cluster, partition, member_partitions, window_partition;
  logic        is_member;
  assign cluster           = place_q % dcom_pkg::COLUMNS * dcom_pkg::ROWS + place_q / dcom_pkg::COLUMNS;
  assign member_partitions = CLUSTERS / raw.clusters;
  assign partition         = raw.spread ? cluster % member_partitions : cluster / raw.clusters;
  assign window_partition  = partition - raw.first;
  assign is_member         = (raw.spread ? cluster < member_partitions * raw.clusters : partition < member_partitions)
                           & (partition >= raw.first) & (window_partition < raw.count);

  // ---- Instructions: what they name, and the steps of what passes the global broadcast memory ----

  logic [15:0][15:0]    instruction;
  logic [7:0]           opcode;
  tables_pkg::matrix_t  matrix;
  tables_pkg::buffer_t  buffer_0, buffer_1, buffer_2;
  tables_pkg::stack_t   stack;
  tables_pkg::global_t  global_0, global_1;
  logic [15:0]          layout_a, layout_b, part;
  logic [15:0]          part_layouts_q[dcom_pkg::PARTIALS];
  logic [15:0]          bank_word;
  assign instruction = instructions_q[index_q];
  assign opcode      = instruction[0][7:0];
  always_comb begin
    matrix    = matrices_q[32'(instruction[dcom_pkg::MVN_MATRIX])%dcom_pkg::MATRICES];
    buffer_0  = buffers_q[32'(instruction[2])%dcom_pkg::BUFFER_REGIONS];
    buffer_1  = buffers_q[32'(instruction[3])%dcom_pkg::BUFFER_REGIONS];
    buffer_2  = buffers_q[32'(instruction[4])%dcom_pkg::BUFFER_REGIONS];
    bank_word = instruction[dcom_pkg::LD_SRC];
    global_0  = globals_q[32'(instruction[2])%dcom_pkg::GLOBAL_REGIONS];
    global_1  = globals_q[32'(instruction[3])%dcom_pkg::GLOBAL_REGIONS];
    part      = instruction[dcom_pkg::DOT_DST];
    layout_a  = '0;
    layout_b  = '0;
    unique case (opcode)
      dcom_pkg::OP_LD:     layout_a = buffer_0.layout;
      dcom_pkg::OP_ST: begin
        bank_word = instruction[dcom_pkg::ST_DST];
        buffer_0  = buffers_q[32'(instruction[dcom_pkg::ST_SRC])%dcom_pkg::BUFFER_REGIONS];
        layout_a  = buffer_0.layout;
      end
      dcom_pkg::OP_IN: begin
        bank_word = instruction[dcom_pkg::IN_DST];
        layout_a  = stacks_q[32'(bank_word)%dcom_pkg::STACKS].layout;
      end
      dcom_pkg::OP_OUT: begin
        bank_word = instruction[dcom_pkg::OUT_SRC];
        layout_a  = stacks_q[32'(bank_word)%dcom_pkg::STACKS].layout;
      end
      dcom_pkg::OP_GATHER: begin
        layout_a = buffer_1.layout;
        layout_b = buffer_0.layout;
      end
      dcom_pkg::OP_INGEST: begin
        layout_a = matrix.layout_1;
        layout_b = matrix.layout_2;
      end
      dcom_pkg::OP_MVN, dcom_pkg::OP_MVT: begin
        buffer_0 = buffers_q[32'(instruction[dcom_pkg::MVN_X])%dcom_pkg::BUFFER_REGIONS];
        buffer_1 = buffers_q[32'(instruction[dcom_pkg::MVN_Y])%dcom_pkg::BUFFER_REGIONS];
        // The layout of what is cut: of the sliced one of x and y.
        layout_a = (opcode == dcom_pkg::OP_MVN) == instruction[dcom_pkg::MVN_AXIS][0] ? buffer_0.layout : buffer_1.layout;
      end
      dcom_pkg::OP_LDT: begin
        matrix   = matrices_q[32'(instruction[dcom_pkg::LDT_MATRIX])%dcom_pkg::MATRICES];
        layout_a = buffer_0.layout;
      end
      dcom_pkg::OP_TMVN, dcom_pkg::OP_TMVT: begin
        buffer_0 = buffers_q[32'(instruction[dcom_pkg::TMVN_X])%dcom_pkg::BUFFER_REGIONS];
        buffer_1 = buffers_q[32'(instruction[dcom_pkg::TMVN_Y])%dcom_pkg::BUFFER_REGIONS];
        buffer_2 = buffers_q[32'(instruction[dcom_pkg::TMVN_TILES])%dcom_pkg::BUFFER_REGIONS];
        layout_a = buffer_2.layout;
      end
      dcom_pkg::OP_PREDUCE: begin
        buffer_0 = buffers_q[32'(instruction[dcom_pkg::PREDUCE_SRC])%dcom_pkg::BUFFER_REGIONS];
        layout_a = instruction[dcom_pkg::PREDUCE_LAYOUT];
      end
      dcom_pkg::OP_GREDUCE: begin
        global_0 = globals_q[32'(instruction[dcom_pkg::GREDUCE_SRC])%dcom_pkg::GLOBAL_REGIONS];
        layout_a = instruction[dcom_pkg::GREDUCE_LAYOUT];
        layout_b = buffer_0.layout;
      end
      dcom_pkg::OP_DOT: begin
        buffer_0 = buffers_q[32'(instruction[dcom_pkg::DOT_A])%dcom_pkg::BUFFER_REGIONS];
        buffer_1 = buffers_q[32'(instruction[dcom_pkg::DOT_B])%dcom_pkg::BUFFER_REGIONS];
        layout_a = buffer_0.layout;
      end
      dcom_pkg::OP_PUTH, dcom_pkg::OP_PUTW: layout_a = part_layouts_q[32'(instruction[dcom_pkg::PUTH_SRC])%dcom_pkg::PARTIALS];
      dcom_pkg::OP_BC: begin
        global_0 = globals_q[32'(instruction[dcom_pkg::BC_SRC])%dcom_pkg::GLOBAL_REGIONS];
        layout_a = buffer_0.layout;
      end
      dcom_pkg::OP_COMB: begin
        bank_word = instruction[dcom_pkg::COMB_SRC];
        buffer_1  = buffers_q[32'(instruction[dcom_pkg::COMB_C])%dcom_pkg::BUFFER_REGIONS];
        layout_a  = buffer_0.layout;
      end
      dcom_pkg::OP_SUM: global_0 = globals_q[32'(instruction[dcom_pkg::SUM_SRC])%dcom_pkg::GLOBAL_REGIONS];
      dcom_pkg::OP_STAT, dcom_pkg::OP_START: begin
        matrix   = matrices_q[32'(instruction[dcom_pkg::STAT_MATRIX])%dcom_pkg::MATRICES];
        layout_a = opcode == dcom_pkg::OP_START ? buffer_0.layout : '0;
        layout_b = layout_a;
      end
      dcom_pkg::OP_SVD, dcom_pkg::OP_TSVD: begin
        global_0 = globals_q[32'(instruction[dcom_pkg::SVD_U])%dcom_pkg::GLOBAL_REGIONS];
        global_1 = globals_q[32'(instruction[dcom_pkg::SVD_V])%dcom_pkg::GLOBAL_REGIONS];
      end
      default: layout_a = buffer_0.layout;  // the ops on buffers alone
    endcase
    stack = stacks_q[32'(bank_word)%dcom_pkg::STACKS];
  end

  // Up to BUS elements per step, none of which crosses the end of a slice of source or destination.
  machine_pkg::layout_t source, target;
  logic [31:0] pass_at_q, pass_end_q, pass_from_q, segments_q, to_source, to_target, pass_step;
  logic        has_source, has_target;
  assign source     = layouts_q[32'(layout_a)];
  assign target     = layouts_q[32'(layout_b)];
  assign has_source = opcode == dcom_pkg::OP_GATHER;
  assign has_target = ~(has_source & (buffer_0.kind == tables_pkg::KIND_FULL));
  assign to_source  = source.slice_len - (pass_from_q + pass_at_q) % source.slice_len;
  assign to_target  = target.slice_len - (pass_from_q + pass_at_q) % target.slice_len;
  always_comb begin
    pass_step = machine_pkg::minimum(machine_pkg::BUS, pass_end_q - pass_at_q);
    if (has_source) pass_step = machine_pkg::minimum(pass_step, to_source);
    if (has_target) pass_step = machine_pkg::minimum(pass_step, to_target);
  end

  plan_pkg::plan_t planned, plan_entry;
  planner i_planner (
    .words_i         (instruction),
    .layout_a_i      (layouts_q[32'(layout_a)]),
    .layout_a_index_i(layout_a),
    .layout_b_i      (layouts_q[32'(layout_b)]),
    .layout_b_index_i(layout_b),
    .matrix_i        (matrix),
    .buffer_0_i      (buffer_0),
    .buffer_1_i      (buffer_1),
    .buffer_2_i      (buffer_2),
    .stack_i         (stack),
    .global_0_i      (global_0),
    .global_1_i      (global_1),
    .overlap_ingest_i(overlap_ingest_q),
    .segments_i      (segments_q),
    .link_rate_i,
    .stream_rate_i,
    .ingest_rate_i,
    .plan_o          (planned)
  );
  // Where the first element lies: of the source of a gather, of the destination of greduce.
  machine_pkg::layout_t started;
  logic [31:0] first_block;
  assign started = opcode == dcom_pkg::OP_GREDUCE ? target : source;
  always_comb begin
    plan_entry                    = planned;
    plan_entry.op.start_slice     = pass_from_q / started.slice_len;
    plan_entry.op.start_offset    = pass_from_q % started.slice_len;
    plan_entry.op.start_round     = plan_entry.op.start_slice / started.count;
    plan_entry.op.start_partition = plan_entry.op.start_slice % started.count;
    plan_entry.op.start_rotation  = plan_entry.op.start_round * started.blocks_modulo % started.clusters;
    first_block                   = plan_entry.op.start_offset / started.granule;
    plan_entry.op.start_slot      = first_block / started.clusters;
    plan_entry.op.start_block     = first_block % started.clusters;
  end

  // ---- Issue ----

  logic [47:0]                now_q, frontier_q;
  logic [31:0]                pc_q, iteration_q, loop_first_q, loop_end_q, loop_count_q;
  logic                       in_loop_q;
  logic [plan_pkg::RESOURCES-1:0][47:0]             ready_q, released_q;
  logic [BANKS-1:0][plan_pkg::BANK_UNITS-1:0][47:0] bank_free_q;
  logic [plan_pkg::UNITS-1:0][47:0]                 free_q;
  logic [CHANNELS-1:0][47:0]                        channel_free_q;
  logic [dcom_pkg::MATRICES-1:0][31:0]              prompt_q;  // that a matrix holds
  plan_pkg::plan_t            plan;
  logic                       guard_busy, skips, operands_ready, units_ready, issues, is_bar, is_loop, bar_ready;
  assign plan    = plans_q[pc_q];
  assign is_bar  = plan.op.opcode == dcom_pkg::OP_BAR;
  assign is_loop = plan.op.opcode == dcom_pkg::OP_LOOP;

  function automatic logic holds(plan_pkg::range_t range, logic [31:0] resource);
    holds = (resource >= range.first) & (resource - range.first < range.count);
  endfunction
  // From when on all operands can be used. Only an issue moves these times, so they are looked through once per instruction.
  logic        is_new_q;
  logic [47:0] operands_at, operands_at_q;
  always_comb begin
    operands_at = operands_at_q;
    if (is_new_q) begin
      operands_at = '0;
      for (int unsigned i = 0; i < plan_pkg::RESOURCES; i++) begin
        for (int unsigned j = 0; j < plan_pkg::READS; j++) begin
          if (holds(plan.reads[j], i) && ready_q[i] > operands_at) operands_at = ready_q[i];
        end
        for (int unsigned j = 0; j < plan_pkg::WRITES; j++) begin
          if (holds(plan.writes[j], i) && ready_q[i] > operands_at) operands_at = ready_q[i];
          if (holds(plan.writes[j], i) && released_q[i] > operands_at) operands_at = released_q[i];
        end
      end
    end
  end
  assign operands_ready = operands_at <= now_q;
  assign guard_busy     = plan.has_guard & (ready_q[plan_pkg::PREDICATE_0+32'(plan.guard)%dcom_pkg::PREDICATES] > now_q);
  always_ff @(posedge clk_i) begin
    is_new_q      <= issues | (state_q != RUN);
    operands_at_q <= operands_at;
  end

  always_comb begin
    units_ready = 1'b1;
    for (int unsigned i = 0; i < plan_pkg::UNITS; i++) begin
      if (plan.uses[i].uses && i >= plan_pkg::BANK_UNITS && i != 32'(plan_pkg::UNIT_MEMORY)
          && now_q + 48'(plan.uses[i].offset) < free_q[i]) units_ready = 1'b0;
    end
    for (int unsigned b = 0; b < BANKS; b++) begin
      for (int unsigned i = 0; i < plan_pkg::BANK_UNITS; i++) begin
        if (plan.uses[i].uses && (unit_banks(plan, i) >> b) % 2 == 1 && now_q + 48'(plan.uses[i].offset) < bank_free_q[b][bank_unit(i)]) begin
          units_ready = 1'b0;
        end
      end
    end
    for (int unsigned c = 0; c < CHANNELS; c++) begin
      if (plan.uses[plan_pkg::UNIT_MEMORY].uses && (plan.all_channels || plan.channel == c)
          && now_q + 48'(plan.uses[plan_pkg::UNIT_MEMORY].offset) < channel_free_q[c]) units_ready = 1'b0;
    end
  end
  /* verilator lint_off UNUSEDSIGNAL */  // of a plan, the banks
  function automatic logic [31:0] unit_banks(plan_pkg::plan_t of, int unsigned unit);
    unit_banks = unit == 32'(plan_pkg::UNIT_WRITE_PORT) ? 32'(of.write_banks)
               : unit == 32'(plan_pkg::UNIT_FILL) ? 32'(of.fill_banks) : 32'(of.banks);
  endfunction
  /* verilator lint_on UNUSEDSIGNAL */
  // With one port for reads and writes, both are the same unit.
  function automatic int unsigned bank_unit(int unsigned unit);
    bank_unit = dcom_pkg::SHARED_PORT != 0 && unit == 32'(plan_pkg::UNIT_WRITE_PORT) ? 32'(plan_pkg::UNIT_PORT) : unit;
  endfunction

  assign skips     = plan.has_guard & ~guard_busy & set_i[32'(plan.guard)%dcom_pkg::PREDICATES];
  assign bar_ready = ~is_bar | (now_q >= frontier_q);
  assign issues    = (state_q == RUN) & (skips | (~guard_busy & operands_ready & units_ready & bar_ready));

  logic [31:0] next_pc;
  logic        loops_back;
  assign next_pc    = pc_q + 32'd1;
  assign loops_back = in_loop_q & (next_pc == loop_end_q) & (iteration_q + 32'd1 < loop_count_q);
  logic [47:0] done;
  assign done = skips ? now_q + 48'd1 : now_q + 48'(machine_pkg::maximum(plan.done_at, 32'd1));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      now_q       <= '0;
      frontier_q  <= '0;
      pc_q        <= '0;
      iteration_q <= '0;
      in_loop_q   <= 1'b0;
      /* verilator lint_off WIDTHCONCAT */  // a time for each of many resources
      ready_q        <= '0;
      released_q     <= '0;
      /* verilator lint_on WIDTHCONCAT */
      bank_free_q    <= '0;
      free_q         <= '0;
      channel_free_q <= '0;
    end else if (state_q == RUN || state_q == DRAIN) begin
      now_q <= now_q + 48'd1;
      if (issues) begin
        if (done > frontier_q) frontier_q <= done;
        pc_q <= next_pc;
        if (loops_back) begin
          pc_q        <= loop_first_q;
          iteration_q <= iteration_q + 32'd1;
        end else if (in_loop_q && next_pc == loop_end_q) begin
          in_loop_q   <= 1'b0;
          iteration_q <= '0;
        end
        if (is_loop) begin
          in_loop_q    <= 1'b1;
          loop_first_q <= next_pc;
          loop_end_q   <= next_pc + plan.loop_length;
          loop_count_q <= plan.loop_count;
          iteration_q  <= '0;
        end
        if (!skips) begin
          for (int unsigned i = 0; i < plan_pkg::RESOURCES; i++) begin
            for (int unsigned j = 0; j < plan_pkg::READS; j++) begin
              // Registers and predicates travel with the op.
              if (holds(plan.reads[j], i) && i < plan_pkg::PREDICATE_0 && now_q + 48'(plan.release_at) > released_q[i]) begin
                released_q[i] <= now_q + 48'(plan.release_at);
              end
            end
            for (int unsigned j = 0; j < plan_pkg::WRITES; j++) begin
              if (holds(plan.writes[j], i)) ready_q[i] <= done;
            end
          end
          for (int unsigned i = 0; i < plan_pkg::UNITS; i++) begin
            if (plan.uses[i].uses) free_q[i] <= now_q + 48'(plan.uses[i].offset) + 48'(plan.uses[i].cycles);
          end
          for (int unsigned b = 0; b < BANKS; b++) begin
            for (int unsigned i = 0; i < plan_pkg::BANK_UNITS; i++) begin
              if (plan.uses[i].uses && (unit_banks(plan, i) >> b) % 2 == 1) begin
                bank_free_q[b][bank_unit(i)] <= now_q + 48'(plan.uses[i].offset) + 48'(plan.uses[i].cycles);
              end
            end
          end
          for (int unsigned c = 0; c < CHANNELS; c++) begin
            if (plan.uses[plan_pkg::UNIT_MEMORY].uses && (plan.all_channels || plan.channel == c)) begin
              channel_free_q[c] <= now_q + 48'(plan.uses[plan_pkg::UNIT_MEMORY].offset)
                                 + 48'(plan.uses[plan_pkg::UNIT_MEMORY].cycles);
            end
          end
        end
      end
    end
  end

  // The op with what it takes along: values of registers, exponents, prompts.
  machine_pkg::op_t issued;
  logic [31:0]      exponent_value;
  logic signed [7:0] exponent;
  assign exponent_value = registers_i[32'(plan.register_a)%dcom_pkg::REGISTERS];
  fp32_to_exponent i_exponent (
    .data_i    (exponent_value),
    .exponent_o(exponent)
  );
  always_comb begin
    issued = plan.op;
    if (plan.op.opcode != dcom_pkg::OP_LDI) issued.value_a = registers_i[32'(plan.register_a)%dcom_pkg::REGISTERS];
    if (plan.op.opcode == dcom_pkg::OP_STAT) issued.value_a = squares_i[plan.op.matrix%dcom_pkg::MATRICES];
    issued.value_b = registers_i[32'(plan.register_b)%dcom_pkg::REGISTERS];
    if (plan.has_exponent) issued.exponent = exponent;
    if (plan.op.opcode == dcom_pkg::OP_INGEST) issued.host = plan.op.host + plan.stride * iteration_q;
    if (plan.op.opcode == dcom_pkg::OP_OUT || plan.op.opcode == dcom_pkg::OP_SVD || plan.op.opcode == dcom_pkg::OP_TSVD) begin
      issued.matrix = prompt_q[plan.op.matrix%dcom_pkg::MATRICES];
    end
  end
  always_ff @(posedge clk_i) begin
    if (issues && !skips && plan.op.opcode == dcom_pkg::OP_INGEST) prompt_q[plan.op.matrix%dcom_pkg::MATRICES] <= issued.host;
  end

  logic             decoded_valid;
  logic [BANKS-1:0] decoded_banks;
  machine_pkg::op_t decoded;
  delay_line #(
    .WIDTH  ($bits(machine_pkg::op_t) + BANKS),
    .LATENCY(dcom_pkg::DECODE_CYCLES - 1)
  ) i_decode (
    .clk_i,
    .rst_ni,
    .valid_i(issues & ~skips & ~is_bar & ~is_loop),
    .data_i ({plan.banks, issued}),
    .valid_o(decoded_valid),
    .data_o ({decoded_banks, decoded})
  );
  machine_pkg::op_t surveyed;
  always_comb begin
    surveyed              = '0;
    surveyed.layout       = raw;
    surveyed.layout_index = index_q[15:0];
  end
  assign start_o       = decoded_valid;
  assign start_banks_o = decoded_banks;
  assign op_o          = state_q == RUN || state_q == DRAIN ? decoded : surveyed;

  assign record_valid_o     = issues;
  assign record_skipped_o   = skips;
  assign record_pc_o        = pc_q;
  assign record_iteration_o = iteration_q;
  assign record_issue_o     = now_q;
  assign record_done_o      = done;
  for (genvar i = 0; i < plan_pkg::UNITS; i++) begin : gen_record
    assign record_units_o[i] = plan.uses[i].uses & ~skips;
  end
  assign running_o  = (state_q == RUN) | (state_q == DRAIN);
  assign finished_o = state_q == FINISHED;
  assign error_o    = error_q;

  // ---- The loader's states ----

  // A run starts when the largest memory has cleared itself.
  localparam int unsigned LARGEST = machine_pkg::maximum(
      machine_pkg::maximum(dcom_pkg::BANK_ROWS, dcom_pkg::BUFFER_ROWS), dcom_pkg::GLOBAL_WORDS);
  logic                       clears;
  logic [$clog2(LARGEST)-1:0] unused_cleared_row;
  row_clearer #(
    .ROWS(LARGEST)
  ) i_clearer (
    .clk_i,
    .rst_ni,
    .valid_o(clears),
    .row_o  (unused_cleared_row)
  );

  assign survey_tiles_o = state_q == SURVEY_TILES;
  assign survey_o       = (state_q == SURVEY_VECTOR || state_q == SURVEY_TILES) && !survey_runs_q ? raw.banks : '0;
  assign deal_valid_o   = state_q == DEAL && place_q == CLUSTERS;
  assign deal_layout_o  = index_q[15:0];
  assign deals_o        = dealing_q;

  logic needs_segments;
  assign needs_segments = opcode == dcom_pkg::OP_GATHER || opcode == dcom_pkg::OP_GREDUCE || opcode == dcom_pkg::OP_START;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q       <= LOAD_MAGIC;
      error_q       <= 1'b0;
      table_q       <= '0;
      entry_q       <= '0;
      field_q       <= '0;
      vectors_q     <= '0;
      index_q       <= '0;
      place_q       <= '0;
      survey_runs_q <= 1'b0;
    end else begin
      unique case (state_q)
        LOAD_MAGIC: if (word_valid_i) begin
          state_q <= LOAD_VERSION;
          if (word_i != 32'h4d4f4344) error_q <= 1'b1;  // "DCOM"
        end
        LOAD_VERSION: if (word_valid_i) begin
          state_q <= LOAD_CHANNELS;
          if (word_i != dcom_pkg::BINARY_VERSION) error_q <= 1'b1;
        end
        LOAD_CHANNELS: if (word_valid_i) begin
          state_q <= LOAD_OVERLAP;
          if (word_i > CHANNELS) error_q <= 1'b1;
        end
        LOAD_OVERLAP: if (word_valid_i) begin
          overlap_ingest_q <= word_i[0];
          state_q          <= LOAD_LENGTH;
        end
        LOAD_LENGTH: if (word_valid_i) begin
          entries_q <= word_i;
          entry_q   <= '0;
          field_q   <= '0;
          if (table_q == 3'd0) layout_count_q <= word_i;
          if (table_q == 3'd5) instruction_count_q <= word_i;
          if (word_i != '0) state_q <= LOAD_ENTRY;
          if (word_i > table_limit(table_q)) error_q <= 1'b1;
        end
        LOAD_ENTRY: if (word_valid_i) begin
          field_q <= entry_ends ? '0 : field_q + 32'd1;
          words_q <= words;
          if (entry_ends) begin
            entry_q <= entry_q + 32'd1;
            if (table_q == 3'd3) vectors_q <= vectors_q + words[1];
          end
        end
        DERIVE: begin
          place_q   <= '0;
          ranks_q   <= '0;
          dealing_q <= '0;
          window_q  <= '0;
          state_q   <= DEAL;
        end
        DEAL: begin
          if (place_q == CLUSTERS) begin
            state_q  <= SURVEY_VECTOR;
            survey_q <= '0;
          end else begin
            place_q <= place_q + 32'd1;
            if (is_member) begin
              dealing_q[cluster]        <= '{held: 1'b1, partition: window_partition, position: ranks_q[window_partition]};
              ranks_q[window_partition] <= ranks_q[window_partition] + 32'd1;
              window_q[cluster/machine_pkg::BANK_CLUSTERS] <= 1'b1;
            end
          end
        end
        SURVEY_VECTOR, SURVEY_TILES: begin
          if (!survey_runs_q) begin
            survey_runs_q <= 1'b1;
            survey_q      <= '0;
          end else if (survey_busy_i != '0) begin
            survey_q <= survey_q + 32'd1;
          end else begin
            survey_runs_q <= 1'b0;
            state_q       <= state_q == SURVEY_VECTOR ? SURVEY_TILES
                           : index_q + 32'd1 == layout_count_q ? LOOK_UP : DERIVE;
            if (state_q == SURVEY_TILES) index_q <= index_q + 32'd1 == layout_count_q ? '0 : index_q + 32'd1;
          end
        end
        LOOK_UP: begin
          pass_at_q  <= '0;
          segments_q <= '0;
          pass_from_q <= '0;
          pass_end_q  <= '0;
          unique case (opcode)
            dcom_pkg::OP_GATHER: begin
              pass_from_q <= {instruction[dcom_pkg::GATHER_START+1], instruction[dcom_pkg::GATHER_START]};
              pass_end_q  <= buffer_0.kind == tables_pkg::KIND_FULL ? buffer_0.elements : source.len;
            end
            dcom_pkg::OP_GREDUCE: begin
              pass_from_q <= {instruction[dcom_pkg::GREDUCE_START+1], instruction[dcom_pkg::GREDUCE_START]};
              pass_end_q  <= {instruction[dcom_pkg::GREDUCE_N+1], instruction[dcom_pkg::GREDUCE_N]};
            end
            dcom_pkg::OP_START: pass_end_q <= source.len;
            default: ;
          endcase
          state_q <= needs_segments ? SEGMENTS : PLAN;
        end
        SEGMENTS: begin
          pass_at_q  <= pass_at_q + pass_step;
          segments_q <= segments_q + 32'd1;
          if (pass_at_q + pass_step == pass_end_q) state_q <= PLAN;
        end
        PLAN: begin
          if (index_q + 32'd1 == instruction_count_q) state_q <= CLEAR;
          else state_q <= LOOK_UP;
          index_q <= index_q + 32'd1;
        end
        CLEAR: if (!clears) state_q <= instruction_count_q == '0 ? DRAIN : RUN;
        RUN: if (issues && !loops_back && next_pc == instruction_count_q) state_q <= DRAIN;
        DRAIN: if (now_q >= frontier_q) state_q <= FINISHED;
        default: ;
      endcase
      if (table_ends) begin
        if (table_q == 3'd5) begin
          // A program need not have layouts, nor instructions.
          state_q <= state_q == LOAD_LENGTH ? CLEAR : layout_count_q == '0 ? LOOK_UP : DERIVE;
          index_q <= '0;
        end else begin
          table_q <= table_q + 3'd1;
          state_q <= LOAD_LENGTH;
        end
      end
    end
  end

  function automatic logic [31:0] table_limit(logic [2:0] number);
    unique case (number)
      3'd0:    table_limit = dcom_pkg::LAYOUTS;
      3'd1:    table_limit = dcom_pkg::MATRICES;
      3'd2:    table_limit = dcom_pkg::BUFFER_REGIONS;
      3'd3:    table_limit = dcom_pkg::STACKS;
      3'd4:    table_limit = dcom_pkg::GLOBAL_REGIONS;
      default: table_limit = dcom_pkg::INSTRUCTIONS;
    endcase
  endfunction

  always_ff @(posedge clk_i) begin
    if (entry_ends) begin
      unique case (table_q)
        3'd0: begin
          layouts_q[entry_q]          <= '0;
          layouts_q[entry_q].len      <= words[0];
          layouts_q[entry_q].slices   <= words[1];
          layouts_q[entry_q].clusters <= words[2];
          layouts_q[entry_q].first    <= words[3];
          layouts_q[entry_q].count    <= words[4];
          layouts_q[entry_q].granule  <= words[5];
          layouts_q[entry_q].spread   <= words[6][0];
          layouts_q[entry_q].chain    <= words[7][0];
        end
        3'd1: begin
          matrices_q[entry_q].rows     <= words[0];
          matrices_q[entry_q].columns  <= words[1];
          matrices_q[entry_q].store    <= words[2][1:0];
          matrices_q[entry_q].axis     <= words[3][0];
          matrices_q[entry_q].layout_1 <= words[2] == 32'd2 ? words[3][15:0] : words[4][15:0];
          matrices_q[entry_q].layout_2 <= words[4][15:0];
          matrices_q[entry_q].row_1    <= words[5];
          matrices_q[entry_q].row_2    <= words[6];
        end
        3'd2: begin
          buffers_q[entry_q].kind     <= words[0][2:0];
          buffers_q[entry_q].elements <= words[0] == 32'(tables_pkg::KIND_SCALAR) ? 32'd1 : words[1];
          buffers_q[entry_q].layout   <= words[2][15:0];
          buffers_q[entry_q].address  <= words[3] * machine_pkg::LANES;
        end
        3'd3: begin
          stacks_q[entry_q].layout   <= words[0][15:0];
          stacks_q[entry_q].row      <= words[2];
          stacks_q[entry_q].resource <= plan_pkg::VECTOR_0 + vectors_q;
        end
        3'd4: globals_q[entry_q].word <= words[1];
        default: instructions_q[entry_q] <= words[7:0];
      endcase
    end
    if (state_q == DERIVE) layouts_q[index_q] <= derived;
    if (deal_valid_o) begin
      deals_q[index_q]         <= dealing_q;
      layouts_q[index_q].banks <= window_q;
    end
    if (survey_runs_q && survey_busy_i == '0) begin
      if (state_q == SURVEY_VECTOR) layouts_q[index_q].vector_beats <= survey_q;
      else layouts_q[index_q].tile_beats <= survey_q;
    end
    if (state_q == PLAN) begin
      plans_q[index_q] <= plan_entry;
      if (opcode == dcom_pkg::OP_DOT) part_layouts_q[32'(part)%dcom_pkg::PARTIALS] <= layout_a;
    end
  end

  logic unused;
  assign unused = ^{stack, words_q, started};

endmodule
