// What comes over the link: host vectors into the banks, matrices past the statistics unit into memory, and
// from there into the banks if they are to stay there.
//
// Ops wait here for the link's latency. Matrices come row by row, groups of the statistics unit's width
// spread evenly over the cycles of the op; data are there the cycle after they were asked for.
module arrivals #(
  localparam int unsigned WIDTH   = dcom_pkg::INGEST_WIDTH,
  localparam int unsigned LINK    = dcom_pkg::LINK_CYCLES,
  localparam int unsigned EXPOSED = dcom_pkg::EXPOSED_CYCLES,
  localparam int unsigned DEPTH   = dcom_pkg::LINK_CYCLES + 2
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             start_i,
  input  machine_pkg::op_t op_i,
  // Starts of what the banks take.
  output logic             enter_o,
  output machine_pkg::op_t enter_op_o,
  output logic             fill_o,
  output machine_pkg::op_t fill_op_o,
  // Groups of a matrix.
  output logic             request_valid_o,
  output logic [31:0]      request_prompt_o,
  output logic [31:0]      request_row_o,
  output logic [31:0]      request_column_o,
  // With the group, a cycle later.
  output logic             group_valid_o,
  output logic [31:0]      group_matrix_o,
  output logic [31:0]      group_row_o,
  output logic [31:0]      group_column_o,
  output logic [31:0]      group_elements_o,
  output logic             group_last_o
);

  if (LINK == 0) begin : gen_latency_check
    $error("arrivals: the link takes at least one cycle");
  end

  // ---- Host vectors ----

  logic [31:0] now_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) now_q <= '0;
    else now_q <= now_q + 32'd1;
  end

  logic is_in, is_ingest;
  assign is_in     = start_i & (op_i.opcode == dcom_pkg::OP_IN);
  assign is_ingest = start_i & (op_i.opcode == dcom_pkg::OP_INGEST);

  machine_pkg::op_t in_q[DEPTH];
  logic [31:0]      in_time_q[DEPTH];
  logic [31:0]      in_head_q, in_tail_q;
  logic             in_waits;
  function automatic logic [31:0] next(logic [31:0] index);
    next = index + 32'd1 == DEPTH ? '0 : index + 32'd1;
  endfunction
  assign in_waits = in_head_q != in_tail_q;
  assign enter_o    = (in_waits & (in_time_q[in_head_q] == now_q)) | (is_in & ~in_waits & (op_i.delay == '0));
  assign enter_op_o = in_waits ? in_q[in_head_q] : op_i;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      in_head_q <= '0;
      in_tail_q <= '0;
    end else begin
      if (is_in && !(enter_o && !in_waits)) in_tail_q <= next(in_tail_q);
      if (enter_o && in_waits) in_head_q <= next(in_head_q);
    end
  end
  always_ff @(posedge clk_i) begin
    if (is_in) begin
      in_q[in_tail_q]      <= op_i;
      in_time_q[in_tail_q] <= now_q + op_i.delay;
    end
  end

  // ---- Matrices: from the host ----

  machine_pkg::op_t ingest_q[DEPTH], taken_q;
  logic [31:0]      ingest_time_q[DEPTH];
  logic [31:0]      ingest_head_q, ingest_tail_q, row_q, column_q, pace_q, sum, steps;
  logic             ingest_waits, taking_q, go, last_group, take;
  machine_pkg::op_t taking;
  assign ingest_waits = ingest_head_q != ingest_tail_q;
  assign take         = (ingest_waits & (ingest_time_q[ingest_head_q] == now_q)) | (is_ingest & ~ingest_waits & (LINK == 1));
  assign taking       = ingest_waits ? ingest_q[ingest_head_q] : op_i;
  assign steps        = taken_q.rows * ((taken_q.columns + WIDTH - 32'd1) / WIDTH);
  assign sum          = pace_q + steps;
  assign go           = taking_q & (sum >= taken_q.delay);
  assign last_group   = (row_q + 32'd1 == taken_q.rows) & (column_q + WIDTH >= taken_q.columns);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ingest_head_q <= '0;
      ingest_tail_q <= '0;
      taking_q      <= 1'b0;
    end else begin
      if (is_ingest && !(take && !ingest_waits)) ingest_tail_q <= next(ingest_tail_q);
      if (take && ingest_waits) ingest_head_q <= next(ingest_head_q);
      if (take) taking_q <= 1'b1;
      else if (go && last_group) taking_q <= 1'b0;
    end
  end
  always_ff @(posedge clk_i) begin
    if (is_ingest) begin
      ingest_q[ingest_tail_q]      <= op_i;
      ingest_time_q[ingest_tail_q] <= now_q + LINK - 32'd1;
    end
    if (take) begin
      taken_q  <= taking;
      row_q    <= '0;
      column_q <= '0;
      pace_q   <= '0;
    end else if (taking_q) begin
      pace_q <= go ? sum - taken_q.delay : sum;
      if (go) begin
        column_q <= column_q + WIDTH >= taken_q.columns ? '0 : column_q + WIDTH;
        if (column_q + WIDTH >= taken_q.columns) row_q <= row_q + 32'd1;
      end
    end
  end
  assign request_valid_o  = go;
  assign request_prompt_o = taken_q.host;
  assign request_row_o    = row_q;
  assign request_column_o = column_q;
  delay_line #(
    .WIDTH  (129),
    .LATENCY(1)
  ) i_group (
    .clk_i,
    .rst_ni,
    .valid_i(go),
    .data_i ({taken_q.matrix, row_q, column_q, machine_pkg::minimum(taken_q.columns - column_q, WIDTH), last_group}),
    .valid_o(group_valid_o),
    .data_o ({group_matrix_o, group_row_o, group_column_o, group_elements_o, group_last_o})
  );

  // ---- Matrices: from memory into the banks, one copy after the other ----

  // The memory is one op's until its banks are filled.
  machine_pkg::op_t filling_q;
  logic [31:0]      first_q, second_q;
  logic             first_waits_q, second_waits_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      first_waits_q  <= 1'b0;
      second_waits_q <= 1'b0;
    end else if (is_ingest && op_i.is_resident) begin
      first_waits_q  <= 1'b1;
      second_waits_q <= op_i.has_copy2;
    end else begin
      if (first_q == now_q) first_waits_q <= 1'b0;
      if (second_q == now_q) second_waits_q <= 1'b0;
    end
  end
  always_ff @(posedge clk_i) begin
    if (is_ingest && op_i.is_resident) begin
      filling_q <= op_i;
      first_q   <= now_q + LINK + op_i.delay + EXPOSED - 32'd1;
      second_q  <= now_q + LINK + op_i.delay + EXPOSED - 32'd1 + op_i.cycles;
    end
  end
  assign fill_o = (first_waits_q & (first_q == now_q)) | (second_waits_q & (second_q == now_q));
  always_comb begin
    fill_op_o = filling_q;
    if (!(first_waits_q && first_q == now_q)) begin
      fill_op_o.layout       = filling_q.to;
      fill_op_o.layout_index = filling_q.to_index;
      fill_op_o.by_columns   = 1'b1;
      fill_op_o.bank_row     = filling_q.bank_row2;
      fill_op_o.cycles       = filling_q.strip;
      fill_op_o.steps        = filling_q.tiles;
      fill_op_o.positions    = filling_q.first_tile;
      fill_op_o.along        = filling_q.first_tile;
    end
  end

  logic unused;
  assign unused = ^taken_q;

endmodule
