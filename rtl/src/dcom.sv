// The D-com machine (docs/machine.md): array of clusters, banks, partition network, global broadcast
// memory, scalar unit, statistics unit, sequencer. Host and memory are outside; data that was asked for is
// there in the next cycle, and the machine itself paces what it asks for by the rates it is given.
module dcom #(
  localparam int unsigned BANKS    = machine_pkg::BANKS,
  localparam int unsigned CLUSTERS = machine_pkg::CLUSTERS,
  localparam int unsigned PER_BANK = machine_pkg::BANK_CLUSTERS,
  localparam int unsigned PORT     = machine_pkg::PORT,
  localparam int unsigned WIDTH    = dcom_pkg::GLOBAL_WIDTH,
  localparam int unsigned WORD     = machine_pkg::WORD
) (
  input  logic                                     clk_i,
  input  logic                                     rst_ni,
  // Program and rates.
  input  logic                                     word_valid_i,
  input  logic                              [31:0] word_i,
  input  rate_pkg::rate_t                          link_rate_i,
  input  rate_pkg::rate_t                          stream_rate_i,
  input  rate_pkg::rate_t                          ingest_rate_i,
  // Memory: tiles that stream past the lanes; what arrives in the banks comes from memory or host.
  output machine_pkg::request_t [BANKS-1:0]        stream_request_o,
  input  logic [BANKS-1:0][PORT-1:0][15:0]         stream_beat_i,
  output machine_pkg::request_t [BANKS-1:0]        arrive_request_o,
  input  logic [BANKS-1:0][PORT-1:0][15:0]         arrive_beat_i,
  // Host: a matrix in groups, on its way to memory as well.
  output logic                                     group_request_o,
  output logic                              [31:0] group_prompt_o,
  output logic                              [31:0] group_row_o,
  output logic                              [31:0] group_column_o,
  input  logic [dcom_pkg::INGEST_WIDTH-1:0][15:0]  group_data_i,
  output logic                                     memory_write_o,
  output logic                              [31:0] memory_matrix_o,
  output logic                              [31:0] memory_row_o,
  output logic                              [31:0] memory_column_o,
  output logic                              [31:0] memory_elements_o,
  output logic [dcom_pkg::INGEST_WIDTH-1:0][15:0]  memory_data_o,
  // Host: factors.
  output machine_pkg::request_t [BANKS-1:0]        leave_o,
  output logic [BANKS-1:0][31:0]                   leave_index_o,
  output logic [BANKS-1:0][PORT-1:0][15:0]         leave_beat_o,
  // Host: the small SVD takes registers and gives words of the global broadcast memory.
  output logic                                     svd_o,
  output machine_pkg::op_t                         svd_op_o,
  output logic [dcom_pkg::REGISTERS-1:0][31:0]     registers_o,
  output logic [dcom_pkg::PREDICATES-1:0]          set_o,
  output logic [dcom_pkg::PREDICATES-1:0][31:0]    passed_o,
  input  logic                                     svd_valid_i,
  input  logic                              [31:0] svd_word_i,
  input  logic                              [31:0] svd_data_i,
  // Record.
  output logic                                     record_valid_o,
  output logic                                     record_skipped_o,
  output logic                              [31:0] record_pc_o,
  output logic                              [31:0] record_iteration_o,
  output logic                              [47:0] record_issue_o,
  output logic                              [47:0] record_done_o,
  output logic               [plan_pkg::UNITS-1:0] record_units_o,
  output logic                                     running_o,
  output logic                                     finished_o,
  output logic                                     error_o
);

  // ---- Sequencer ----

  logic                              start, deal_valid, survey_tiles;
  logic [BANKS-1:0]                  start_banks, survey, survey_busy;
  logic [15:0]                       deal_layout;
  machine_pkg::op_t                  op;
  machine_pkg::deal_t [CLUSTERS-1:0] deals, network_deals;
  machine_pkg::layout_t              network_layout;
  machine_pkg::tag_t                 network_tag;
  logic [dcom_pkg::MATRICES-1:0][31:0] squares;
  sequencer i_sequencer (
    .clk_i,
    .rst_ni,
    .word_valid_i,
    .word_i,
    .link_rate_i,
    .stream_rate_i,
    .ingest_rate_i,
    .deal_valid_o      (deal_valid),
    .deal_layout_o     (deal_layout),
    .deals_o           (deals),
    .survey_o          (survey),
    .survey_tiles_o    (survey_tiles),
    .survey_busy_i     (survey_busy),
    .start_o           (start),
    .start_banks_o     (start_banks),
    .op_o              (op),
    .registers_i       (registers_o),
    .set_i             (set_o),
    .squares_i         (squares),
    .layout_index_i    (network_tag.layout_index),
    .layout_o          (network_layout),
    .layout_deals_o    (network_deals),
    .record_valid_o,
    .record_skipped_o,
    .record_pc_o,
    .record_iteration_o,
    .record_issue_o,
    .record_done_o,
    .record_units_o,
    .running_o,
    .finished_o,
    .error_o
  );
  assign svd_o    = start & (op.opcode == dcom_pkg::OP_SVD || op.opcode == dcom_pkg::OP_TSVD);
  assign svd_op_o = op;

  // ---- Arrivals and statistics ----

  logic             enter, fill, group_valid, group_last;
  machine_pkg::op_t enter_op, fill_op;
  logic [31:0]      group_matrix, group_row, group_column, group_elements;
  arrivals i_arrivals (
    .clk_i,
    .rst_ni,
    .start_i         (start),
    .op_i            (op),
    .enter_o         (enter),
    .enter_op_o      (enter_op),
    .fill_o          (fill),
    .fill_op_o       (fill_op),
    .request_valid_o (group_request_o),
    .request_prompt_o(group_prompt_o),
    .request_row_o   (group_row_o),
    .request_column_o(group_column_o),
    .group_valid_o   (group_valid),
    .group_matrix_o  (group_matrix),
    .group_row_o     (group_row),
    .group_column_o  (group_column),
    .group_elements_o(group_elements),
    .group_last_o    (group_last)
  );
  assign memory_write_o    = group_valid;
  assign memory_matrix_o   = group_matrix;
  assign memory_row_o      = group_row;
  assign memory_column_o   = group_column;
  assign memory_elements_o = group_elements;
  assign memory_data_o     = group_data_i;

  logic                                   start_request;
  logic [31:0]                            start_element;
  logic [machine_pkg::BUS-1:0][15:0]      start_words;
  statistics_unit i_statistics (
    .clk_i,
    .rst_ni,
    .valid_i    (group_valid),
    .matrix_i   (group_matrix),
    .column_i   (group_column),
    .elements_i (group_elements),
    .first_row_i(group_row == '0),
    .last_i     (group_last),
    .data_i     (group_data_i),
    .squares_o  (squares),
    .start_i    (start & (op.opcode == dcom_pkg::OP_START)),
    .op_i       (op),
    .request_i  (start_request),
    .element_i  (start_element),
    .words_o    (start_words)
  );

  // ---- Columns ----

  logic [BANKS-1:0][31:0] read_beats, store_beats, arrive_beats;
  machine_pkg::window_t   gather;
  machine_pkg::fill_t     bus_fill, sums_fill;
  logic [BANKS-1:0][machine_pkg::BUS-1:0][15:0] gathered;
  logic [machine_pkg::BUS-1:0][15:0]            gather_words;
  logic [BANKS-1:0]                             dot_valid, sums_valid;
  machine_pkg::tag_t [BANKS-1:0]                tags;
  logic [BANKS-1:0][PER_BANK-1:0][machine_pkg::REDUCE-1:0][WORD-1:0] column_sums;
  for (genvar b = 0; b < BANKS; b++) begin : gen_bank
    machine_pkg::deal_t [PER_BANK-1:0] own_deals;
    for (genvar i = 0; i < PER_BANK; i++) begin : gen_deal
      // The last bank may serve fewer columns.
      if (b * PER_BANK + i < CLUSTERS) begin : gen_there
        assign own_deals[i] = deals[b*PER_BANK+i];
      end else begin : gen_none
        assign own_deals[i] = '0;
      end
    end
    logic arrives;
    assign arrives = (enter & enter_op.layout.banks[b]) | (fill & fill_op.layout.banks[b]);
    column i_column (
      .clk_i,
      .rst_ni,
      .deal_valid_i    (deal_valid),
      .deal_layout_i   (deal_layout),
      .deal_i          (own_deals),
      .survey_i        (survey[b]),
      .survey_tiles_i  (survey_tiles),
      .survey_busy_o   (survey_busy[b]),
      .start_i         (start & start_banks[b]),
      .op_i            (op),
      .arrive_i        (arrives),
      .arrive_op_i     (fill & fill_op.layout.banks[b] ? fill_op : enter_op),
      .read_beats_o    (read_beats[b]),
      .store_beats_o   (store_beats[b]),
      .arrive_beats_o  (arrive_beats[b]),
      .read_beats_i    (read_beats),
      .store_beats_i   (store_beats),
      .arrive_beats_i  (arrive_beats),
      .stream_request_o(stream_request_o[b]),
      .stream_beat_i   (stream_beat_i[b]),
      .arrive_request_o(arrive_request_o[b]),
      .arrive_beat_i   (arrive_beat_i[b]),
      .leave_o         (leave_o[b]),
      .leave_index_o   (leave_index_o[b]),
      .leave_beat_o    (leave_beat_o[b]),
      .gather_i        (gather),
      .gather_words_o  (gathered[b]),
      .fill_i          (bus_fill),
      .sums_fill_i     (sums_fill),
      .dot_valid_o     (dot_valid[b]),
      .sums_valid_o    (sums_valid[b]),
      .tag_o           (tags[b]),
      .sums_o          (column_sums[b])
    );
  end
  always_comb begin
    gather_words = '0;
    for (int unsigned b = 0; b < BANKS; b++) gather_words |= gathered[b];
  end

  // ---- Partition network and partial-sum registers ----

  localparam int unsigned OUTPUTS = machine_pkg::NETWORK_LEVELS + 1 + CLUSTERS;
  logic [CLUSTERS-1:0][machine_pkg::REDUCE-1:0][WORD-1:0]              network_words;
  logic [OUTPUTS-1:0]                                                  sums_there;
  machine_pkg::tag_t [OUTPUTS-1:0]                                     sums_tag;
  logic [OUTPUTS-1:0][CLUSTERS-1:0][machine_pkg::REDUCE-1:0][WORD-1:0] sums;
  always_comb begin
    network_tag = '0;
    for (int unsigned b = 0; b < BANKS; b++) begin
      if (dot_valid[b] || sums_valid[b]) network_tag = tags[b];
    end
  end
  for (genvar i = 0; i < CLUSTERS; i++) begin : gen_word
    assign network_words[i] = column_sums[i/PER_BANK][i%PER_BANK];
  end
  partition_network i_network (
    .clk_i,
    .rst_ni,
    .valid_i (|dot_valid | |sums_valid),
    .tag_i   (network_tag),
    .layout_i(network_layout),
    .deals_i (network_deals),
    .words_i (network_words),
    .valid_o (sums_there),
    .tag_o   (sums_tag),
    .sums_o  (sums)
  );

  localparam int unsigned VALUES = dcom_pkg::PARTIALS * dcom_pkg::PART_VALUES;
  logic [WORD-1:0] parts_q[VALUES];
  logic                      clears;
  logic [$clog2(VALUES)-1:0] cleared;
  row_clearer #(
    .ROWS(VALUES)
  ) i_clearer (
    .clk_i,
    .rst_ni,
    .valid_o(clears),
    .row_o  (cleared)
  );
  // What leaves the network at its several outputs goes to different values.
  always_ff @(posedge clk_i) begin
    if (clears) parts_q[cleared] <= '0;
    for (int unsigned o = 0; o < OUTPUTS; o++) begin
      for (int unsigned k = 0; k < CLUSTERS; k++) begin
        if (sums_there[o] && sums_tag[o].is_dot && k < sums_tag[o].words) begin
          parts_q[(32'(sums_tag[o].part)*dcom_pkg::PART_VALUES+sums_tag[o].word+k)%VALUES] <= sums[o][k][0];
        end
      end
    end
  end
  logic                                            reduced_valid;
  logic [31:0]                                     reduced_word, reduced_words;
  logic [machine_pkg::REDUCE-1:0][WORD-1:0]        reduced;
  always_comb begin
    reduced_valid = 1'b0;
    reduced_word  = '0;
    reduced_words = '0;
    reduced       = '0;
    for (int unsigned o = 0; o < OUTPUTS; o++) begin
      if (sums_there[o] && !sums_tag[o].is_dot) begin
        reduced_valid = 1'b1;
        reduced_word  = sums_tag[o].word;
        reduced_words = sums_tag[o].words;
        reduced       = sums[o][sums_tag[o].partition%CLUSTERS];
      end
    end
  end

  // ---- Global broadcast memory and scalar unit ----

  logic [15:0]                 part, sum_register;
  logic [31:0]                 part_value, sum_words;
  logic [WIDTH-1:0][WORD-1:0]  part_words;
  logic                        sum_valid, sum_last, sum_single;
  logic [WIDTH-1:0][31:0]      sum_data;
  always_comb begin
    for (int unsigned i = 0; i < WIDTH; i++) begin
      part_words[i] = parts_q[(32'(part)*dcom_pkg::PART_VALUES+part_value+i)%VALUES];
    end
  end
  broadcast_unit i_broadcast (
    .clk_i,
    .rst_ni,
    .start_i        (start),
    .op_i           (op),
    .gather_o       (gather),
    .gather_words_i (gather_words),
    .start_request_o(start_request),
    .start_element_o(start_element),
    .start_words_i  (start_words),
    .part_o         (part),
    .part_value_o   (part_value),
    .part_words_i   (part_words),
    .sums_valid_i   (reduced_valid),
    .sums_word_i    (reduced_word),
    .sums_words_i   (reduced_words),
    .sums_i         (reduced),
    .sum_valid_o    (sum_valid),
    .sum_last_o     (sum_last),
    .sum_single_o   (sum_single),
    .sum_words_o    (sum_words),
    .sum_register_o (sum_register),
    .sum_data_o     (sum_data),
    .host_valid_i   (svd_valid_i),
    .host_word_i    (svd_word_i),
    .host_data_i    (svd_data_i),
    .fill_o         (bus_fill),
    .sums_fill_o    (sums_fill)
  );
  scalar_unit i_scalar (
    .clk_i,
    .rst_ni,
    .start_i       (start),
    .op_i          (op),
    .sum_valid_i   (sum_valid),
    .sum_last_i    (sum_last),
    .sum_single_i  (sum_single),
    .sum_words_i   (sum_words),
    .sum_register_i(sum_register),
    .sum_data_i    (sum_data),
    .registers_o,
    .set_o,
    .passed_o
  );

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) !(|dot_valid && |sums_valid))
  else $error("dcom: two ops enter the partition network in one cycle");
`endif

endmodule
