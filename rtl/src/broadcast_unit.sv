// The global broadcast memory with what reads and writes it: gather, puth, putw, preduce's sums, bc, sum,
// greduce, sbc and the words of start (docs/machine.md, section 3).
//
// Words on their way to the buffers leave on one of two buses: `fill_o`, and `sums_fill_o` for the sums of
// greduce, which come later than the words of other ops read after them.
module broadcast_unit #(
  localparam int unsigned BUS      = machine_pkg::BUS,
  localparam int unsigned WIDTH    = dcom_pkg::GLOBAL_WIDTH,
  localparam int unsigned WORD     = machine_pkg::WORD,
  localparam int unsigned REDUCE   = machine_pkg::REDUCE
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  input  logic                            start_i,
  input  machine_pkg::op_t                op_i,
  // Gather: elements to read, and the words from the buffers, BUFFER_READ_CYCLES later.
  output machine_pkg::window_t            gather_o,
  input  logic [BUS-1:0][15:0]            gather_words_i,
  // Words of start, in order; the scan of the column sums comes first.
  output logic                            start_request_o,
  output logic [31:0]                     start_element_o,
  input  logic [BUS-1:0][15:0]            start_words_i,
  // Partial-sum registers: the values from the one asked for on.
  output logic [15:0]                     part_o,
  output logic [31:0]                     part_value_o,
  input  logic [WIDTH-1:0][WORD-1:0]      part_words_i,
  // Sums of preduce.
  input  logic                            sums_valid_i,
  input  logic [31:0]                     sums_word_i,
  input  logic [31:0]                     sums_words_i,
  input  logic [REDUCE-1:0][WORD-1:0]     sums_i,
  // sum: words to the scalar unit.
  output logic                            sum_valid_o,
  output logic                            sum_last_o,
  output logic                            sum_single_o,  // the only group
  output logic [31:0]                     sum_words_o,
  output logic [15:0]                     sum_register_o,
  output logic [WIDTH-1:0][31:0]          sum_data_o,
  // The small SVD's coefficients.
  input  logic                            host_valid_i,
  input  logic [31:0]                     host_word_i,
  input  logic [31:0]                     host_data_i,
  output machine_pkg::fill_t              fill_o,
  output machine_pkg::fill_t              sums_fill_o
);
  localparam int unsigned ADD   = machine_pkg::ADD;
  localparam int unsigned BR    = dcom_pkg::BUFFER_READ_CYCLES;
  localparam int unsigned GR    = dcom_pkg::GLOBAL_READ_CYCLES;
  localparam int unsigned GW    = dcom_pkg::GLOBAL_WRITE_CYCLES;
  localparam int unsigned PUT   = dcom_pkg::WRITE_PORTS < WIDTH ? dcom_pkg::WRITE_PORTS : WIDTH;
  localparam int unsigned FILL  = $bits(machine_pkg::fill_t);

  // ---- gather: windows of the destination follow those of the source ----

  machine_pkg::op_t gather_q;
  logic             gather_start, gather_busy_q, gather_last;
  logic [31:0]      gather_element_q, gather_step, source_left, target_left;
  machine_pkg::window_t source, target;
  assign gather_start = start_i & (op_i.opcode == dcom_pkg::OP_GATHER);
  // No step crosses the end of a slice of either vector.
  always_comb begin
    gather_step = machine_pkg::minimum(gather_q.count - gather_element_q, BUS);
    gather_step = machine_pkg::minimum(gather_step, source_left);
    if (!gather_q.is_full) gather_step = machine_pkg::minimum(gather_step, target_left);
  end
  assign gather_last = gather_element_q + gather_step == gather_q.count;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) gather_busy_q <= 1'b0;
    else if (gather_start) gather_busy_q <= 1'b1;
    else if (gather_last) gather_busy_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (gather_start) begin
      gather_q         <= op_i;
      gather_element_q <= '0;
    end else if (gather_busy_q) begin
      gather_element_q <= gather_element_q + gather_step;
    end
  end
  window_walker i_source (
    .clk_i,
    .load_i        (gather_start),
    .layout_i      (op_i.layout),
    .layout_index_i(op_i.layout_index),
    .base_i        (op_i.a),
    .slice_i       (op_i.start_slice),
    .offset_i      (op_i.start_offset),
    .round_i       (op_i.start_round),
    .partition_i   (op_i.start_partition),
    .rotation_i    (op_i.start_rotation),
    .slot_i        (op_i.start_slot),
    .block_i       (op_i.start_block),
    .step_i        (gather_busy_q),
    .elements_i    (gather_step),
    .left_o        (source_left),
    .window_o      (source)
  );
  window_walker i_target (
    .clk_i,
    .load_i        (gather_start),
    .layout_i      (op_i.to),
    .layout_index_i(op_i.to_index),
    .base_i        (op_i.z),
    .slice_i       ('0),
    .offset_i      ('0),
    .round_i       ('0),
    .partition_i   ('0),
    .rotation_i    ('0),
    .slot_i        ('0),
    .block_i       ('0),
    .step_i        (gather_busy_q),
    .elements_i    (gather_step),
    .left_o        (target_left),
    .window_o      (target)
  );
  always_comb begin
    gather_o       = source;
    gather_o.valid = gather_busy_q;
  end

  machine_pkg::fill_t gather_leaving, gather_fill, gather_arriving, passing;
  always_comb begin
    gather_leaving              = '0;
    gather_leaving.mode         = gather_q.is_full ? machine_pkg::FILL_SAME : machine_pkg::FILL_WINDOW;
    gather_leaving.layout_index = gather_q.to_index;
    gather_leaving.address      = gather_q.z + gather_element_q;
    gather_leaving.elements     = gather_step;
    gather_leaving.window       = target;
  end
  logic gather_arrives, passing_valid;
  delay_line #(
    .WIDTH  (FILL),
    .LATENCY(BR)
  ) i_gather_read (
    .clk_i,
    .rst_ni,
    .valid_i(gather_busy_q),
    .data_i (gather_leaving),
    .valid_o(gather_arrives),
    .data_o (gather_arriving)
  );
  always_comb begin
    gather_fill       = gather_arriving;
    gather_fill.words = gather_words_i;
  end

  // ---- start: the scan of the column sums, then the vector ----

  machine_pkg::op_t     begin_q;
  machine_pkg::window_t begin_window;
  machine_pkg::fill_t   begin_fill;
  logic                 begin_start, begin_busy_q, begin_last;
  logic [31:0]          begin_element_q, begin_step, begin_left, scan_q;
  assign begin_start = start_i & (op_i.opcode == dcom_pkg::OP_START);
  assign begin_step  = machine_pkg::minimum(machine_pkg::minimum(begin_q.count - begin_element_q, BUS), begin_left);
  assign begin_last  = (scan_q == '0) & (begin_element_q + begin_step == begin_q.count);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin_busy_q <= 1'b0;
    else if (begin_start) begin_busy_q <= 1'b1;
    else if (begin_last) begin_busy_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (begin_start) begin
      begin_q         <= op_i;
      begin_element_q <= '0;
      scan_q          <= op_i.delay;
    end else if (begin_busy_q) begin
      if (scan_q != '0) scan_q <= scan_q - 32'd1;
      else begin_element_q <= begin_element_q + begin_step;
    end
  end
  assign start_request_o = begin_busy_q & (scan_q == '0);
  assign start_element_o = begin_element_q;
  window_walker i_begin_target (
    .clk_i,
    .load_i        (begin_start),
    .layout_i      (op_i.to),
    .layout_index_i(op_i.to_index),
    .base_i        (op_i.z),
    .slice_i       ('0),
    .offset_i      ('0),
    .round_i       ('0),
    .partition_i   ('0),
    .rotation_i    ('0),
    .slot_i        ('0),
    .block_i       ('0),
    .step_i        (start_request_o),
    .elements_i    (begin_step),
    .left_o        (begin_left),
    .window_o      (begin_window)
  );
  always_comb begin
    begin_fill              = '0;
    begin_fill.mode         = machine_pkg::FILL_WINDOW;
    begin_fill.layout_index = begin_q.to_index;
    begin_fill.elements     = begin_step;
    begin_fill.window       = begin_window;
    begin_fill.words        = start_words_i;
  end

  // ---- sbc ----

  machine_pkg::op_t   sbc_q;
  logic               sbc_valid_q;
  machine_pkg::fill_t sbc_fill;
  logic [15:0]        mantissa;
  logic signed [7:0]  exponent;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) sbc_valid_q <= 1'b0;
    else sbc_valid_q <= start_i & (op_i.opcode == dcom_pkg::OP_SBC);
  end
  always_ff @(posedge clk_i) if (start_i) sbc_q <= op_i;
  scalar_split i_split (
    .data_i    (sbc_q.value_a),
    .mantissa_o(mantissa),
    .exponent_o(exponent)
  );
  always_comb begin
    sbc_fill              = '0;
    sbc_fill.mode         = machine_pkg::FILL_SAME;
    sbc_fill.layout_index = sbc_q.layout_index;
    sbc_fill.address      = sbc_q.z;
    sbc_fill.elements     = 32'd2;
    sbc_fill.words[0]     = mantissa;
    sbc_fill.words[1]     = 16'(exponent);
  end

  // What passes through without staying: written, read, and on the column buses.
  delay_line #(
    .WIDTH  (FILL),
    .LATENCY(GW + GR)
  ) i_passing (
    .clk_i,
    .rst_ni,
    .valid_i(gather_arrives | start_request_o | sbc_valid_q),
    .data_i (gather_arrives ? gather_fill : sbc_valid_q ? sbc_fill : begin_fill),
    .valid_o(passing_valid),
    .data_o (passing)
  );

  // ---- Partial sums to the memory: puth, putw ----

  machine_pkg::op_t put_q;
  logic             put_busy_q, put_start;
  logic [31:0]      put_value_q, put_words;
  assign put_start = start_i & (op_i.opcode == dcom_pkg::OP_PUTH || op_i.opcode == dcom_pkg::OP_PUTW);
  assign put_words = machine_pkg::minimum(put_q.count - put_value_q, PUT);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) put_busy_q <= 1'b0;
    else if (put_start) put_busy_q <= 1'b1;
    else if (put_value_q + put_words == put_q.count) put_busy_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (put_start) begin
      put_q       <= op_i;
      put_value_q <= '0;
    end else if (put_busy_q) begin
      put_value_q <= put_value_q + put_words;
    end
  end
  assign part_o       = put_q.part;
  assign part_value_o = put_value_q;
  logic [WIDTH-1:0][31:0] put_data, sums_data;
  for (genvar i = 0; i < WIDTH; i++) begin : gen_put
    logic [31:0] whole, rounded;
    logic [15:0] half;
    word_to_fp32 i_word (
      .data_i(part_words_i[i]),
      .data_o(whole)
    );
    fp_round i_round (
      .data_i(whole),
      .data_o(half)
    );
    fp_widen i_widen (
      .data_i(half),
      .data_o(rounded)
    );
    assign put_data[i] = put_q.opcode == dcom_pkg::OP_PUTH ? rounded : whole;
    if (i < REDUCE) begin : gen_sum
      word_to_fp32 i_sum (
        .data_i(sums_i[i]),
        .data_o(sums_data[i])
      );
    end else begin : gen_none
      assign sums_data[i] = '0;
    end
  end

  // ---- Reading: bc, sum, greduce ----

  machine_pkg::op_t     read_q;
  logic                 read_busy_q, read_start, is_bc, is_sum, is_greduce, read_last, greduce_last;
  logic [31:0]          read_word_q, partition_q, read_words, sums_left;
  machine_pkg::window_t sums_window;
  assign read_start = start_i & (op_i.opcode == dcom_pkg::OP_BC || op_i.opcode == dcom_pkg::OP_SUM || op_i.opcode == dcom_pkg::OP_GREDUCE);
  assign is_bc      = read_q.opcode == dcom_pkg::OP_BC;
  assign is_sum     = read_q.opcode == dcom_pkg::OP_SUM;
  assign is_greduce = read_q.opcode == dcom_pkg::OP_GREDUCE;
  always_comb begin
    read_words = machine_pkg::minimum(read_q.count - read_word_q, is_sum ? WIDTH : BUS);
    if (is_greduce) read_words = machine_pkg::minimum(read_words, sums_left);
  end
  // greduce reads the same elements of every partition before the next ones.
  assign greduce_last = ~is_greduce | (partition_q + 32'd1 == read_q.partitions);
  assign read_last    = read_busy_q & greduce_last & (read_word_q + read_words == read_q.count);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) read_busy_q <= 1'b0;
    else if (read_start) read_busy_q <= 1'b1;
    else if (read_last) read_busy_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (read_start) begin
      read_q      <= op_i;
      read_word_q <= '0;
      partition_q <= '0;
    end else if (read_busy_q) begin
      partition_q <= greduce_last ? '0 : partition_q + 32'd1;
      if (greduce_last) read_word_q <= read_word_q + read_words;
    end
  end
  window_walker i_sums_target (
    .clk_i,
    .load_i        (read_start),
    .layout_i      (op_i.to),
    .layout_index_i(op_i.to_index),
    .base_i        (op_i.z),
    .slice_i       (op_i.start_slice),
    .offset_i      (op_i.start_offset),
    .round_i       (op_i.start_round),
    .partition_i   (op_i.start_partition),
    .rotation_i    (op_i.start_rotation),
    .slot_i        (op_i.start_slot),
    .block_i       (op_i.start_block),
    .step_i        (read_busy_q & is_greduce & greduce_last),
    .elements_i    (read_words),
    .left_o        (sums_left),
    .window_o      (sums_window)
  );

  logic [WIDTH-1:0][31:0] read_data;
  global_memory #(
    .WORDS        (dcom_pkg::GLOBAL_WORDS),
    .WIDTH        (WIDTH),
    .READ_LATENCY (GR),
    .WRITE_LATENCY(GW)
  ) i_memory (
    .clk_i,
    .rst_ni,
    .read_word_i  (read_q.word + (is_greduce ? partition_q * read_q.count : read_q.start) + read_word_q),
    .read_data_o  (read_data),
    .write_valid_i(put_busy_q | sums_valid_i),
    .write_word_i (sums_valid_i ? sums_word_i : put_q.word + put_value_q),
    .write_words_i(sums_valid_i ? sums_words_i : put_words),
    .write_data_i (sums_valid_i ? sums_data : put_data),
    .host_valid_i,
    .host_word_i,
    .host_data_i
  );

  logic                 arrived_bc, arrived_sum, arrived_greduce, arrived_last;
  logic [31:0]          arrived_words, arrived_address;
  logic [15:0]          arrived_layout, arrived_register;
  logic                 arrived_single;
  machine_pkg::window_t arrived_window;
  delay_valid #(
    .WIDTH  (3),
    .LATENCY(GR)
  ) i_arrived_kind (
    .clk_i,
    .rst_ni,
    .data_i({read_busy_q & is_bc, read_busy_q & is_sum, read_busy_q & is_greduce}),
    .data_o({arrived_bc, arrived_sum, arrived_greduce})
  );
  delay #(
    .WIDTH  (98 + $bits(machine_pkg::window_t)),
    .LATENCY(GR)
  ) i_arrived (
    .clk_i,
    .data_i({is_greduce ? greduce_last : read_last, read_q.count <= WIDTH, read_words,
             read_q.z + read_word_q, read_q.layout_index, read_q.destination, sums_window}),
    .data_o({arrived_last, arrived_single, arrived_words, arrived_address, arrived_layout, arrived_register,
             arrived_window})
  );
  logic [WIDTH-1:0][15:0]     halves;
  logic [WIDTH-1:0][WORD-1:0] words;
  for (genvar i = 0; i < WIDTH; i++) begin : gen_word
    fp_round i_round (
      .data_i(read_data[i]),
      .data_o(halves[i])
    );
    fp32_to_word i_word (
      .data_i(read_data[i]),
      .data_o(words[i])
    );
  end

  assign sum_valid_o    = arrived_sum;
  assign sum_last_o     = arrived_last;
  assign sum_single_o   = arrived_single;
  assign sum_words_o    = arrived_words;
  assign sum_register_o = arrived_register;
  assign sum_data_o     = read_data;

  machine_pkg::fill_t bc_fill;
  always_comb begin
    bc_fill              = '0;
    bc_fill.mode         = machine_pkg::FILL_SAME;
    bc_fill.layout_index = arrived_layout;
    bc_fill.address      = arrived_address;
    bc_fill.elements     = arrived_words;
    for (int unsigned i = 0; i < BUS; i++) bc_fill.words[i] = halves[i];
    fill_o       = arrived_bc ? bc_fill : passing;
    fill_o.valid = arrived_bc | passing_valid;
    if (!passing_valid) fill_o.window.valid = 1'b0;
  end

  // ---- greduce: a pairwise accumulator per word ----

  logic [BUS-1:0]           sum_there;
  logic [BUS-1:0][WORD-1:0] sums;
  logic [BUS-1:0][15:0]     sum_halves;
  for (genvar i = 0; i < BUS; i++) begin : gen_accumulator
    logic            unused_valid;
    logic [WORD-1:0] unused_sum;
    logic [31:0]     single;
    pairwise_accumulator #(
      .WIDTH      (WORD),
      .LEVELS     (machine_pkg::NETWORK_LEVELS > 0 ? machine_pkg::NETWORK_LEVELS : 1),
      .ADD_LATENCY(ADD)
    ) i_accumulator (
      .clk_i,
      .rst_ni,
      .valid_i(arrived_greduce),
      .last_i (arrived_last),
      .route_i(1'b0),
      .data_i (words[i]),
      .valid_o({unused_valid, sum_there[i]}),
      .sum_o  ({unused_sum, sums[i]})
    );
    word_to_fp32 i_single (
      .data_i(sums[i]),
      .data_o(single)
    );
    fp_round i_round (
      .data_i(single),
      .data_o(sum_halves[i])
    );
  end
  // The windows wait for their sums in order.
  localparam int unsigned WINDOW = $clog2(ADD * machine_pkg::NETWORK_LEVELS + 2);
  logic [2**WINDOW-1:0][$bits(machine_pkg::window_t)-1:0] waiting_q;
  logic [WINDOW-1:0] head_q, tail_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_q <= '0;
      tail_q <= '0;
    end else begin
      if (arrived_greduce && arrived_last) tail_q <= tail_q + WINDOW'(1);
      if (sum_there[0]) head_q <= head_q + WINDOW'(1);
    end
  end
  always_ff @(posedge clk_i) if (arrived_greduce && arrived_last) waiting_q[tail_q] <= arrived_window;
  machine_pkg::window_t due_window;
  // With one partition the sum is there at once.
  assign due_window = head_q == tail_q ? arrived_window : waiting_q[head_q];
  always_comb begin
    sums_fill_o              = '0;
    sums_fill_o.valid        = sum_there[0];
    sums_fill_o.mode         = machine_pkg::FILL_WINDOW;
    sums_fill_o.layout_index = due_window.layout_index;
    sums_fill_o.window       = due_window;
    sums_fill_o.window.valid = sum_there[0];
    sums_fill_o.words        = sum_halves;
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) $onehot0({gather_arrives, start_request_o, sbc_valid_q}))
  else $error("broadcast_unit: two ops write in one cycle");
  assert property (@(posedge clk_i) disable iff (!rst_ni) !(arrived_bc && passing_valid))
  else $error("broadcast_unit: two ops read in one cycle");
  assert property (@(posedge clk_i) disable iff (!rst_ni) !(put_busy_q && sums_valid_i))
  else $error("broadcast_unit: put and preduce write in one cycle");
`endif

  logic unused;
  assign unused = ^{words, sum_there, gather_q, begin_q, put_q, read_q, sbc_q};

endmodule
