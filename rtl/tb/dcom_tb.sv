// The machine with a host and a memory: loads a case, runs its program, and prints what happened.
//
// A case is a text file of hexadecimal numbers (plusarg +case=FILE): rates, program, prompts, host vectors,
// and what the small SVD gives each time (machine.md: it is computed outside the array). Lines on stdout:
//   issue PC ITERATION SKIPPED ISSUE DONE UNITS     one per executed instruction
//   active CYCLE UNITS                              what is in use from this cycle on (`activity_t`)
//   plan PC RELEASE, use PC UNIT OFFSET CYCLES MASK what an instruction reserves, at the end
//   svd SET PASSED ALPHA... BETA..., tsvd T...      what a small SVD was asked, T by diagonals
//   out PROMPT SIDE INDEX ELEMENT VALUE             an element of a factor
//   buffer CLUSTER ELEMENT VALUE, bank BANK ROW ELEMENTS..., global WORD VALUE, part REGISTER I VALUE,
//   register I VALUE, predicate I SET PASSED        memories and registers at the end
//   processor MICROSECONDS                          that the process took, from dcom_tb.cpp
module dcom_tb (
  input logic clk_i,
  input logic rst_ni
);
  localparam int unsigned BANKS    = machine_pkg::BANKS;
  localparam int unsigned PER_BANK = machine_pkg::BANK_CLUSTERS;
  localparam int unsigned PORT     = machine_pkg::PORT;
  localparam int unsigned LANES    = machine_pkg::LANES;
  localparam int unsigned X        = dcom_pkg::LANES_X;
  localparam int unsigned Y        = dcom_pkg::LANES_Y;
  localparam int unsigned WIDTH    = dcom_pkg::INGEST_WIDTH;
  // Room for a case.
  localparam int unsigned WORDS    = 1 << 16;
  localparam int unsigned ELEMENTS = 1 << 17;
  localparam int unsigned MATRIX   = ELEMENTS / 4;
  localparam int unsigned ANSWERS  = 1 << 14;
  localparam int unsigned VECTORS  = 256;
  localparam int unsigned ASKED    = 16;

  // ---- The case ----

  rate_pkg::rate_t link_rate, stream_rate, ingest_rate;
  logic [31:0] program_q[WORDS];
  logic [15:0] prompts_q[ELEMENTS];   // one after the other
  logic [15:0] vectors_q[ELEMENTS];
  logic [31:0] answers_q[ANSWERS];
  int unsigned program_words, prompt_rows, prompt_columns, prompt_count, vector_count, answer_count, cycle_limit;
  int unsigned vector_start_q[VECTORS];
  string       name;
  int          file;

  function automatic int unsigned number();
    int unsigned value;
    int          found;
    found = $fscanf(file, "%h", value);
    if (found != 1) $fatal(1, "dcom_tb: the case ends early");
    return value;
  endfunction

  initial begin
    int unsigned at, length, rates[6];
    if ($value$plusargs("case=%s", name) == 0) $fatal(1, "dcom_tb: +case=FILE is missing");
    file = $fopen(name, "r");
    if (file == 0) $fatal(1, "dcom_tb: %s cannot be read", name);
    cycle_limit        = number();
    for (int unsigned i = 0; i < 6; i++) rates[i] = number();
    link_rate          = '{bytes: rates[0], cycles: rates[1]};
    stream_rate        = '{bytes: rates[2], cycles: rates[3]};
    ingest_rate        = '{bytes: rates[4], cycles: rates[5]};
    program_words      = number();
    if (program_words > WORDS) $fatal(1, "dcom_tb: more than %0d words", WORDS);
    for (int unsigned i = 0; i < program_words; i++) program_q[i] = number();
    prompt_count   = number();
    prompt_rows    = number();
    prompt_columns = number();
    if (prompt_count * prompt_rows * prompt_columns > ELEMENTS || prompt_rows * prompt_columns > MATRIX) begin
      $fatal(1, "dcom_tb: no room for %0d prompts of %0d x %0d", prompt_count, prompt_rows, prompt_columns);
    end
    for (int unsigned i = 0; i < prompt_count * prompt_rows * prompt_columns; i++) prompts_q[i] = 16'(number());
    vector_count = number();
    if (vector_count > VECTORS) $fatal(1, "dcom_tb: more than %0d host vectors", VECTORS);
    at = 0;
    for (int unsigned i = 0; i < vector_count; i++) begin
      length            = number();
      vector_start_q[i] = at;
      if (at + length > ELEMENTS) $fatal(1, "dcom_tb: more than %0d elements of host vectors", ELEMENTS);
      for (int unsigned j = 0; j < length; j++) begin
        vectors_q[at] = 16'(number());
        at++;
      end
    end
    answer_count = number();
    if (answer_count > ANSWERS) $fatal(1, "dcom_tb: more than %0d answers", ANSWERS);
    for (int unsigned i = 0; i < answer_count; i++) answers_q[i] = number();
    $fclose(file);
  end

  // ---- The machine ----

  logic                                    word_valid, group_request, memory_write, svd, svd_valid_q, record_valid, record_skipped,
                                           is_finished, finished, error;
  logic [31:0]                             word_q, group_prompt, group_row, group_column, memory_matrix, memory_row, memory_column,
                                           memory_elements, svd_word_q, svd_data_q, record_pc, record_iteration;
  machine_pkg::request_t [BANKS-1:0]       stream_request, arrive_request, leave;
  logic [BANKS-1:0][PORT-1:0][15:0]        stream_beat_q, arrive_beat_q, leave_beat;
  logic [WIDTH-1:0][15:0]                  group_data_q, memory_data;
  logic [BANKS-1:0][31:0]                  leave_index;
  /* verilator lint_off UNUSEDSIGNAL */  // of an op, what a small SVD is asked
  machine_pkg::op_t                        svd_op;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [dcom_pkg::REGISTERS-1:0][31:0]    registers;
  logic [dcom_pkg::PREDICATES-1:0]         set;
  logic [dcom_pkg::PREDICATES-1:0][31:0]   passed;
  logic [47:0]                             record_issue, record_done;
  logic [plan_pkg::UNITS-1:0]              record_units;
  logic                                    running;
  dcom i_dcom (
    .clk_i,
    .rst_ni,
    .word_valid_i      (word_valid),
    .word_i            (word_q),
    .link_rate_i       (link_rate),
    .stream_rate_i     (stream_rate),
    .ingest_rate_i     (ingest_rate),
    .stream_request_o  (stream_request),
    .stream_beat_i     (stream_beat_q),
    .arrive_request_o  (arrive_request),
    .arrive_beat_i     (arrive_beat_q),
    .group_request_o   (group_request),
    .group_prompt_o    (group_prompt),
    .group_row_o       (group_row),
    .group_column_o    (group_column),
    .group_data_i      (group_data_q),
    .memory_write_o    (memory_write),
    .memory_matrix_o   (memory_matrix),
    .memory_row_o      (memory_row),
    .memory_column_o   (memory_column),
    .memory_elements_o (memory_elements),
    .memory_data_o     (memory_data),
    .leave_o           (leave),
    .leave_index_o     (leave_index),
    .leave_beat_o      (leave_beat),
    .svd_o             (svd),
    .svd_op_o          (svd_op),
    .registers_o       (registers),
    .set_o             (set),
    .passed_o          (passed),
    .svd_valid_i       (svd_valid_q),
    .svd_word_i        (svd_word_q),
    .svd_data_i        (svd_data_q),
    .record_valid_o    (record_valid),
    .record_skipped_o  (record_skipped),
    .record_pc_o       (record_pc),
    .record_iteration_o(record_iteration),
    .record_issue_o    (record_issue),
    .record_done_o     (record_done),
    .record_units_o    (record_units),
    .running_o         (running),
    .finished_o        (is_finished),
    .error_o           (error)
  );

  // ---- Loading the program ----

  int unsigned loaded_q;
  assign word_valid = rst_ni & (loaded_q < program_words);
  assign word_q     = program_q[loaded_q%WORDS];
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) loaded_q <= 0;
    else if (word_valid) loaded_q <= loaded_q + 1;
  end

  // ---- Memory and host: what was asked for is there in the next cycle ----

  logic [15:0] memory_q[dcom_pkg::MATRICES*MATRIX];

  /* verilator lint_off UNUSEDSIGNAL */  // who asks has looked at `valid`
  function automatic logic [15:0] element_of(machine_pkg::request_t request, int unsigned j);
    int unsigned tile, row, column, at;
    element_of = '0;
    for (int unsigned i = 0; i < PER_BANK; i++) begin
      if (request.hits[i] && j >= request.field[i]) begin
        if (request.is_host) begin
          at = request.part * PORT + j - request.field[i];
          if (at < request.own[i] && j - request.field[i] < PORT) begin
            element_of = vectors_q[vector_start_q[request.index%VECTORS] + request.element[i] + at];
          end
        end else if (j - request.field[i] < LANES) begin
          tile   = request.part * PORT + j - request.field[i];
          row    = tile / X;
          column = tile % X;
          if ((request.by_columns ? column : row) < request.own[i]) begin
            row    = request.by_columns ? request.position * Y + row : request.element[i] + row;
            column = request.by_columns ? request.element[i] + column : request.position * X + column;
            if (tile < LANES && row < prompt_rows && column < prompt_columns) begin
              element_of = memory_q[request.index*MATRIX + row*prompt_columns + column];
            end
          end
        end
      end
    end
  endfunction
  /* verilator lint_on UNUSEDSIGNAL */

  always_ff @(posedge clk_i) begin
    if (memory_write) begin
      for (int unsigned i = 0; i < WIDTH; i++) begin
        // Blocking: a tile that was asked for in this cycle has what arrives in it.
        /* verilator lint_off BLKSEQ */
        if (i < memory_elements) memory_q[memory_matrix*MATRIX + memory_row*prompt_columns + memory_column + i] = memory_data[i];
        /* verilator lint_on BLKSEQ */
      end
    end
    for (int unsigned b = 0; b < BANKS; b++) begin
      for (int unsigned j = 0; j < PORT; j++) begin
        if (stream_request[b].valid) stream_beat_q[b][j] <= element_of(stream_request[b], j);
        if (arrive_request[b].valid) arrive_beat_q[b][j] <= element_of(arrive_request[b], j);
      end
    end
    if (group_request) begin
      for (int unsigned i = 0; i < WIDTH; i++) begin
        group_data_q[i] <= group_column + i < prompt_columns
            ? prompts_q[(group_prompt*prompt_rows+group_row)*prompt_columns+group_column+i] : '0;
      end
    end
  end

  // ---- The small SVD: the last word is written at the end of the cycle before the op is done, those before it as they
  // are ready, one per cycle, first those of U ----

  typedef struct packed {
    int unsigned word;
    int unsigned word2;
    int unsigned words;   // of either factor
    int unsigned answer;  // first of its answers
  } asked_t;
  asked_t      asked_q[ASKED];
  int unsigned due_q[ASKED];  // cycle in which the last word is sent, to be there in the next
  int unsigned cycle_q, asked_count_q, answer_q, early_q, early_at_q, late_q;
  logic        sends_last, svd_last_q;
  asked_t      early, late;
  assign early      = asked_q[early_q%ASKED];
  assign late       = asked_q[late_q%ASKED];
  assign sends_last = late_q != asked_count_q && cycle_q >= due_q[late_q%ASKED];
  function automatic int unsigned word_of(int unsigned word, int unsigned word2, int unsigned words, int unsigned i);
    word_of = i < words ? word + i : word2 + i - words;
  endfunction
  function automatic int unsigned svd_cycles(int unsigned k);
    svd_cycles = (k * k * k * dcom_pkg::SVD_MILLICYCLES + 999) / 1000 + dcom_pkg::SVD_ROUND_TRIP;
  endfunction
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      cycle_q       <= 0;
      asked_count_q <= 0;
      answer_q      <= 0;
      early_q       <= 0;
      early_at_q    <= 0;
      late_q        <= 0;
      svd_valid_q   <= 1'b0;
      svd_last_q    <= 1'b0;
    end else begin
      cycle_q     <= cycle_q + 1;
      svd_valid_q <= 1'b0;
      svd_last_q  <= 1'b0;
      if (svd) begin
        asked_q[asked_count_q%ASKED] <= '{word: svd_op.word, word2: svd_op.word2, words: svd_op.k * svd_op.r, answer: answer_q};
        due_q[asked_count_q%ASKED] <= cycle_q + svd_cycles(svd_op.k) - 1;
        asked_count_q <= asked_count_q + 1;
        answer_q      <= answer_q + 2 * svd_op.k * svd_op.r;
        if (asked_count_q + 1 - late_q > ASKED) $fatal(1, "dcom_tb: more than %0d small SVDs at a time", ASKED);
      end
      if (sends_last) begin
        if (early_q == late_q) $fatal(1, "dcom_tb: a small SVD has more words than cycles");
        svd_valid_q <= 1'b1;
        svd_word_q  <= word_of(late.word, late.word2, late.words, 2 * late.words - 1);
        svd_data_q  <= answers_q[late.answer+2*late.words-1];
        svd_last_q  <= 1'b1;
        late_q      <= late_q + 1;
      end else if (early_q != asked_count_q && early_at_q + 1 < 2 * early.words) begin
        svd_valid_q <= 1'b1;
        svd_word_q  <= word_of(early.word, early.word2, early.words, early_at_q);
        svd_data_q  <= answers_q[early.answer+early_at_q];
        early_at_q  <= early_at_q + 1;
      end else if (early_q != asked_count_q) begin
        early_q    <= early_q + 1;
        early_at_q <= 0;
      end
    end
  end

  // ---- What happened ----

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      if (record_valid) begin
        $display("issue %0d %0d %0d %0d %0d %0h", record_pc, record_iteration, record_skipped, record_issue, record_done, record_units);
      end
      if (svd) begin
        if (svd_op.opcode == dcom_pkg::OP_TSVD) begin
          $write("tsvd");
          for (int unsigned d = 0; d <= svd_op.band; d++) begin
            for (int unsigned i = 0; i + d < svd_op.k; i++) $write(" %h", registers[svd_op.alpha+d*svd_op.k+i]);
          end
        end else begin
          $write("svd %0d %0d", set[32'(svd_op.predicate)%dcom_pkg::PREDICATES], passed[32'(svd_op.predicate)%dcom_pkg::PREDICATES]);
          for (int unsigned i = 0; i < svd_op.k; i++) $write(" %h", registers[svd_op.alpha+i]);
          for (int unsigned i = 0; i + 1 < svd_op.k; i++) $write(" %h", registers[svd_op.beta+i]);
        end
        $write("\n");
      end
      for (int unsigned b = 0; b < BANKS; b++) begin
        if (leave[b].valid) begin
          for (int unsigned i = 0; i < PER_BANK; i++) begin
            for (int unsigned j = 0; j < PORT; j++) begin
              if (leave[b].hits[i] && leave[b].part * PORT + j < leave[b].own[i]) begin
                $display("out %0d %0d %0d %0d %h", leave[b].index, leave_index[b][16], leave_index[b][15:0],
                         leave[b].element[i] + leave[b].part * PORT + j, leave_beat[b][leave[b].field[i]+j]);
              end
            end
          end
        end
      end
      if (error) $fatal(1, "dcom_tb: the program does not fit this build");
      if (cycle_q > cycle_limit) begin
        $fatal(1, "dcom_tb: not finished after %0d cycles, in state %0d of the sequencer, at instruction %0d of cycle %0d", cycle_limit,
               i_dcom.i_sequencer.state_q, record_pc, record_issue);
      end
    end
  end

  // ---- Which units the datapath uses in which cycle, and which registers it writes at its end ----

  typedef struct packed {
    logic result;
    logic fill;
    logic lanes;
    logic write_port;
    logic port;
  } bank_activity_t;
  typedef struct packed {
    logic svd;           // the last word of a small SVD
    logic predicate;
    logic scalar;        // a scalar register
    logic part;          // a register of partial sums
    logic statistics;
    logic global_read;   // its words are there: GLOBAL_READ_CYCLES after the use
    logic global_write;
    logic network;
    bank_activity_t [BANKS-1:0] banks;
  } activity_t;
  activity_t                      activity, activity_q;
  logic [BANKS-1:0][PER_BANK-1:0] gathers, fills;
  for (genvar b = 0; b < BANKS; b++) begin : gen_activity
    for (genvar c = 0; c < PER_BANK; c++) begin : gen_cluster
      assign gathers[b][c] = i_dcom.gather.valid & i_dcom.gen_bank[b].i_column.gen_cluster[c].source.held;
      assign fills[b][c]   = i_dcom.gen_bank[b].i_column.gen_cluster[c].fill_valid;
    end
    assign activity.banks[b].port       = i_dcom.gen_bank[b].i_column.read_valid;
    assign activity.banks[b].write_port = i_dcom.gen_bank[b].i_column.store_write_valid
                                         | i_dcom.gen_bank[b].i_column.arrive_write_valid;
    assign activity.banks[b].lanes      = i_dcom.gen_bank[b].i_column.read_feed.valid | (gathers[b] != '0);
    assign activity.banks[b].fill       = i_dcom.gen_bank[b].i_column.ld_valid | (fills[b] != '0);
    assign activity.banks[b].result     = i_dcom.gen_bank[b].i_column.due_valid;
  end
  assign activity.network      = (i_dcom.dot_valid != '0) | (i_dcom.sums_valid != '0);
  assign activity.global_write = i_dcom.i_broadcast.put_busy_q | i_dcom.i_broadcast.sums_valid_i | i_dcom.i_broadcast.gather_arrives
                               | i_dcom.i_broadcast.start_request_o | i_dcom.i_broadcast.sbc_valid_q;
  assign activity.global_read  = i_dcom.i_broadcast.arrived_bc | i_dcom.i_broadcast.arrived_sum | i_dcom.i_broadcast.arrived_greduce
                               | i_dcom.i_broadcast.passing_valid;
  assign activity.statistics   = i_dcom.group_valid | i_dcom.i_statistics.scanning_q | i_dcom.start_request;
  assign activity.scalar       = i_dcom.i_scalar.write_valid | (i_dcom.i_scalar.divide_q == 32'd1) | (i_dcom.i_scalar.sqrt_q == 32'd1)
                               | (i_dcom.i_scalar.total_ends != '0) | (i_dcom.i_scalar.level_ends != '0);
  assign activity.predicate    = i_dcom.i_scalar.clr_valid | i_dcom.i_scalar.brk_valid;
  assign activity.svd          = svd_last_q;
  always_comb begin
    activity.part = 1'b0;
    for (int unsigned o = 0; o < $bits(i_dcom.sums_there); o++) begin
      if (i_dcom.sums_there[o] && i_dcom.sums_tag[o].is_dot) activity.part = 1'b1;
    end
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      activity_q <= '0;
    end else if (running) begin
      activity_q <= activity;
      if (activity != activity_q) $display("active %0d %0h", record_issue, activity);
    end
  end

  // Banks, channels, or one unit alone.
  /* verilator lint_off UNUSEDSIGNAL */  // of a plan, what says where
  function automatic int unsigned which(plan_pkg::plan_t plan, int unsigned unit);
    which = 1;
    if (unit < plan_pkg::BANK_UNITS) begin
      which = unit == 32'(plan_pkg::UNIT_WRITE_PORT) ? 32'(plan.write_banks)
            : unit == 32'(plan_pkg::UNIT_FILL) ? 32'(plan.fill_banks) : 32'(plan.banks);
    end
    if (unit == 32'(plan_pkg::UNIT_MEMORY)) which = plan.all_channels ? (1 << dcom_pkg::CHANNELS) - 1 : 1 << plan.channel;
  endfunction
  /* verilator lint_on UNUSEDSIGNAL */

  // ---- What is in the memories ----

  logic dump_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) dump_q <= 1'b0;
    else dump_q <= finished;
  end
  assign finished = rst_ni & is_finished;
  for (genvar b = 0; b < BANKS; b++) begin : gen_bank
    always_ff @(posedge clk_i) begin
      if (finished && !dump_q) begin
        for (int unsigned row = 0; row < dcom_pkg::BANK_ROWS; row++) begin
          if (i_dcom.gen_bank[b].i_column.i_bank.memory_q[row] != '0) begin
            $display("bank %0d %0d %h", b, row, i_dcom.gen_bank[b].i_column.i_bank.memory_q[row]);
          end
        end
      end
    end
    for (genvar c = 0; c < PER_BANK; c++) begin : gen_cluster
      for (genvar l = 0; l < LANES; l++) begin : gen_lane
        // Looked at here alone: a signal that follows the memory would be worked out in every cycle.
        always_ff @(posedge clk_i) begin
          if (finished && !dump_q) begin
            for (int unsigned row = 0; row < dcom_pkg::BUFFER_ROWS; row++) begin
              if (i_dcom.gen_bank[b].i_column.gen_cluster[c].i_cluster.i_buffer.gen_lane[l].memory_q[row] != '0) begin
                $display("buffer %0d %0d %h", b * PER_BANK + c, row * LANES + l,
                         i_dcom.gen_bank[b].i_column.gen_cluster[c].i_cluster.i_buffer.gen_lane[l].memory_q[row]);
              end
            end
          end
        end
      end
    end
  end
  for (genvar i = 0; i < dcom_pkg::GLOBAL_WIDTH; i++) begin : gen_global
    localparam int unsigned ROWS = (dcom_pkg::GLOBAL_WORDS + dcom_pkg::GLOBAL_WIDTH - 1) / dcom_pkg::GLOBAL_WIDTH;
    always_ff @(posedge clk_i) begin
      if (finished && !dump_q) begin
        for (int unsigned row = 0; row < ROWS; row++) begin
          if (i_dcom.i_broadcast.i_memory.gen_memory[i].memory_q[row] != '0) begin
            $display("global %0d %h", row * dcom_pkg::GLOBAL_WIDTH + i, i_dcom.i_broadcast.i_memory.gen_memory[i].memory_q[row]);
          end
        end
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (finished && !dump_q) begin
      for (int unsigned i = 0; i < dcom_pkg::PARTIALS * dcom_pkg::PART_VALUES; i++) begin
        if (i_dcom.parts_q[i] != '0) $display("part %0d %0d %h", i / dcom_pkg::PART_VALUES, i % dcom_pkg::PART_VALUES, i_dcom.parts_q[i]);
      end
      for (int unsigned i = 0; i < dcom_pkg::REGISTERS; i++) if (registers[i] != '0) $display("register %0d %h", i, registers[i]);
      for (int unsigned pc = 0; pc < i_dcom.i_sequencer.instruction_count_q; pc++) begin
        $display("plan %0d %0d", pc, i_dcom.i_sequencer.plans_q[pc].release_at);
        for (int unsigned i = 0; i < plan_pkg::UNITS; i++) begin
          if (i_dcom.i_sequencer.plans_q[pc].uses[i].uses) begin
            $display("use %0d %0d %0d %0d %0h", pc, i, i_dcom.i_sequencer.plans_q[pc].uses[i].offset,
                     i_dcom.i_sequencer.plans_q[pc].uses[i].cycles, which(i_dcom.i_sequencer.plans_q[pc], i));
          end
        end
      end
      for (int unsigned i = 0; i < dcom_pkg::PREDICATES; i++) $display("predicate %0d %0d %0d", i, set[i], passed[i]);
    end
    if (rst_ni && dump_q) $finish;
  end

endmodule
