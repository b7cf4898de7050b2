// The lanes of the machine beside `lane_datapath`, their twin for synthesis, on the same random inputs.
//
// Prints at the end the cycles compared, those with a result and with a sum of dot, and those in which an output differed. Every
// cycle counts: also when no program has such a sequence of ops both have to do the same, so assertions are off.
module lane_twin_tb (
  input logic clk_i
);
  localparam int unsigned LANES   = machine_pkg::LANES;
  localparam int unsigned WORD    = machine_pkg::WORD;
  localparam int unsigned WARM_UP = 256;  // what the registers hold at first is not defined

  logic                       rst_n, valid, last_pass, z_valid;
  cluster_pkg::kind_e         kind, z_kind, result_kind;
  logic [LANES-1:0]           enable;
  logic [LANES-1:0][15:0]     a, b, z;
  logic signed [7:0]          exponent;

  // ---- The machine's lanes, told the same in their words ----

  machine_pkg::feed_e         feed;
  machine_pkg::result_t       z_event, result_event;
  logic [LANES-1:0][WORD-1:0] wide_z, result;
  logic                       result_valid, partial_valid;
  logic [WORD-1:0]            partial;
  always_comb begin
    unique case (kind)
      cluster_pkg::KIND_MVN:  feed = machine_pkg::FEED_ROWS_ALONG;
      cluster_pkg::KIND_MVT:  feed = machine_pkg::FEED_COLUMNS_ALONG;
      cluster_pkg::KIND_DOT:  feed = machine_pkg::FEED_DOT;
      cluster_pkg::KIND_CORR: feed = machine_pkg::FEED_CORR;
      cluster_pkg::KIND_AXPY: feed = machine_pkg::FEED_AXPY;
      default:                feed = machine_pkg::FEED_SCALE;
    endcase
    z_event          = '0;
    z_event.sum      = z_kind == cluster_pkg::KIND_CORR ? machine_pkg::SUM_ROWS : machine_pkg::SUM_PRODUCTS;
    z_event.subtract = 1'b1;
    result_event       = '0;
    result_event.has_z = cluster_pkg::is_correction(result_kind);
    unique case (result_kind)
      cluster_pkg::KIND_MVN: result_event.sum = machine_pkg::SUM_ROWS;
      cluster_pkg::KIND_MVT: result_event.sum = machine_pkg::SUM_COLUMNS;
      default:               result_event.sum = machine_pkg::SUM_PRODUCTS;
    endcase
  end
  lanes i_lanes (
    .clk_i          (clk_i),
    .rst_ni         (rst_n),
    .valid_i        (valid),
    .feed_i         (feed),
    .last_pass_i    (last_pass),
    .is_added_i     (cluster_pkg::is_correction(kind)),
    .enable_i       (enable),
    .a_i            (a),
    .b_i            (b),
    .exponent_i     (exponent),
    .z_valid_i      (z_valid),
    .z_event_i      (z_event),
    .z_i            (wide_z),
    .result_event_i (result_event),
    .result_valid_o (result_valid),
    .result_o       (result),
    .partial_valid_o(partial_valid),
    .partial_o      (partial)
  );

  // ---- The twin, which takes and gives fp16 ----

  logic [LANES-1:0][15:0] half_result, twin_result;
  logic                   twin_result_valid, twin_partial_valid;
  logic [WORD-1:0]        twin_partial;
  for (genvar i = 0; i < LANES; i++) begin : gen_convert
    if (WORD == 32) begin : gen_wide
      fp_widen i_widen (
        .data_i(z[i]),
        .data_o(wide_z[i])
      );
      fp_round i_round (
        .data_i(result[i]),
        .data_o(half_result[i])
      );
    end else begin : gen_half
      assign wide_z[i]      = z[i];
      assign half_result[i] = result[i];
    end
  end
  lane_datapath #(
    .MODE            (cluster_pkg::mode_e'(dcom_pkg::MODE)),
    .LANES_X         (dcom_pkg::LANES_X),
    .LANES_Y         (dcom_pkg::LANES_Y),
    .LEVELS          (dcom_pkg::ACCUMULATOR_LEVELS),
    .MULTIPLY_LATENCY(dcom_pkg::MULTIPLY_CYCLES),
    .ADD_LATENCY     (machine_pkg::ADD)
  ) i_twin (
    .clk_i          (clk_i),
    .rst_ni         (rst_n),
    .valid_i        (valid),
    .kind_i         (kind),
    .last_pass_i    (last_pass),
    .enable_i       (enable),
    .a_i            (a),
    .b_i            (b),
    .exponent_i     (exponent),
    .z_valid_i      (z_valid),
    .z_kind_i       (z_kind),
    .z_i            (z),
    .result_kind_i  (result_kind),
    .result_valid_o (twin_result_valid),
    .result_o       (twin_result),
    .partial_valid_o(twin_partial_valid),
    .partial_o      (twin_partial)
  );

  // ---- Comparison ----

  // As many words from the first on as the op gives.
  logic differs;
  always_comb begin
    differs = result_valid != twin_result_valid || partial_valid != twin_partial_valid || partial != twin_partial;
    for (int unsigned i = 0; i < LANES; i++) begin
      if ((result_kind != cluster_pkg::KIND_MVN || i < dcom_pkg::LANES_Y)
          && (result_kind != cluster_pkg::KIND_MVT || i < dcom_pkg::LANES_X)
          && half_result[i] != twin_result[i]) differs = 1'b1;
    end
  end

  // ---- Stimuli ----

  function automatic cluster_pkg::kind_e some_kind(int unsigned number);
    unique case (number % 6)
      0:       some_kind = cluster_pkg::KIND_MVN;
      1:       some_kind = cluster_pkg::KIND_MVT;
      2:       some_kind = cluster_pkg::KIND_DOT;
      3:       some_kind = cluster_pkg::KIND_CORR;
      4:       some_kind = cluster_pkg::KIND_AXPY;
      default: some_kind = cluster_pkg::KIND_SCALE;
    endcase
  endfunction

  // All patterns; numbers near 1, for sums that stay finite; and small changes, for sums that cancel.
  function automatic logic [15:0] next(logic [15:0] last, logic [15:0] pattern, logic [2:0] choice);
    unique case (choice)
      3'd0:       next = pattern;
      3'd1:       next = {pattern[15], 15'd0};
      3'd2, 3'd3: next = last ^ (pattern & 16'h8003);
      default:    next = {pattern[15], 5'd14 + 5'(pattern[11:10]), pattern[9:0]};
    endcase
  endfunction

  int unsigned cycle, results, partials, differing;
  assign rst_n = cycle > 4;
  always_ff @(negedge clk_i) begin
    cycle       <= cycle + 1;
    if ($urandom % 8 == 0) kind <= some_kind($urandom);
    z_kind      <= some_kind($urandom);
    result_kind <= some_kind($urandom);
    valid       <= $urandom % 8 != 0;
    last_pass   <= $urandom % 4 == 0;
    z_valid     <= 1'($urandom);
    exponent    <= $urandom % 4 == 0 ? 8'($urandom % 129) - 8'd64 : '0;
    for (int unsigned i = 0; i < LANES; i++) begin
      enable[i] <= $urandom % 8 != 0;
      a[i]      <= next(a[i], 16'($urandom), 3'($urandom));
      b[i]      <= next(b[i], 16'($urandom), 3'($urandom));
      z[i]      <= next(z[i], 16'($urandom), 3'($urandom));
    end
  end
  always_ff @(posedge clk_i) begin
    if (cycle > WARM_UP) begin
      results   <= results + 32'(result_valid);
      partials  <= partials + 32'(partial_valid);
      differing <= differing + 32'(differs);
    end
  end
  final $display("cycles %0d results %0d partials %0d differing %0d", cycle - WARM_UP, results, partials, differing);

endmodule
