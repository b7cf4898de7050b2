// Issues the ops of one cluster and says, step by step, what its buffer and its lanes do.
//
// Offsets are those of machine.md, section 3, "Timing of each op". Of the rules of issue, this module
// has those of order and of units; operands (busy bits) belong to the machine's sequencer, which
// presents an op no earlier than they allow.
//
// A stream reads its x so that it meets the tile at the multipliers: BANK_READ_LATENCY -
// BUFFER_READ_LATENCY after the bank.
module cluster_sequencer #(
  parameter int unsigned LANES_X              = 4,
  parameter int unsigned LANES_Y              = 4,
  parameter int unsigned READ_ELEMENTS        = 16,
  parameter int unsigned BEAT_ELEMENTS        = 16,
  parameter int unsigned LEVELS               = 4,
  parameter int unsigned DECODE_LATENCY       = 1,
  parameter int unsigned BUFFER_READ_LATENCY  = 1,
  parameter int unsigned BUFFER_WRITE_LATENCY = 1,
  parameter int unsigned BANK_READ_LATENCY    = 1,
  parameter int unsigned MULTIPLY_LATENCY     = 1,
  parameter int unsigned ADD_LATENCY          = 1
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  // Ops.
  input  logic                op_valid_i,
  output logic                op_ready_o,
  input  cluster_pkg::op_t    op_i,
  // The sources may be overwritten by an op that issues now: [0] of an op, [1] of a stream.
  output logic                [1:0] release_valid_o,
  output cluster_pkg::id_t    [1:0] release_id_o,
  // The results may be used by an op that issues now: [0] in the buffer, [1] of dot.
  output logic                [1:0] done_valid_o,
  output cluster_pkg::id_t    [1:0] done_id_o,
  // Beats of A from the bank: the next one, BANK_READ_LATENCY after it was asked for.
  output logic                beat_request_o,
  // Reads of the operands, and the step whose operands arrive at the multipliers.
  output cluster_pkg::step_t  read_o,
  output logic                operand_valid_o,
  output cluster_pkg::step_t  operand_o,
  // Reads of z, and the part of z that arrives.
  output cluster_pkg::event_t z_read_o,
  output logic                z_valid_o,
  output cluster_pkg::event_t z_o,
  // A result is due at the buffer's write port, a sum of dot at the partition network.
  output logic                result_valid_o,
  output cluster_pkg::event_t result_o,
  output logic                network_valid_o,
  output cluster_pkg::event_t network_o
);
  import cluster_pkg::*;

  localparam int unsigned LANES = LANES_X * LANES_Y;
  localparam int unsigned ROW_TREE_LATENCY = ADD_LATENCY * $clog2(LANES_X);
  localparam int unsigned COLUMN_TREE_LATENCY = ADD_LATENCY * $clog2(LANES_Y);
  localparam int unsigned LONGEST = BANK_READ_LATENCY + BUFFER_READ_LATENCY + MULTIPLY_LATENCY
      + ROW_TREE_LATENCY + COLUMN_TREE_LATENCY + ADD_LATENCY * (LEVELS + 1);

  if (DECODE_LATENCY == 0) begin : gen_decode_check
    $error("cluster_sequencer: decoding takes at least one cycle");
  end
  if (BANK_READ_LATENCY < BUFFER_READ_LATENCY) begin : gen_bank_check
    $error("cluster_sequencer: x would have to be read before its stream starts");
  end
  if (LANES_X > READ_ELEMENTS * ceil_div(LANES_Y, READ_ELEMENTS)) begin : gen_coefficient_check
    $error("cluster_sequencer: coefficients do not arrive in the cycles machine.md counts for corr");
  end
  if ((LANES_X > LANES_Y ? LANES_X : LANES_Y) > READ_ELEMENTS * ceil_div(LANES, BEAT_ELEMENTS)) begin : gen_x_check
    $error("cluster_sequencer: x does not arrive in the beats of a tile");
  end

  // Cycles from the first read (for a stream, of the bank) to the result.
  function automatic logic [15:0] depth(kind_e kind, logic [4:0] levels);
    logic [15:0] pairwise;
    pairwise = 16'(ADD_LATENCY) * 16'(levels);
    unique case (kind)
      KIND_DOT: return 16'(BUFFER_READ_LATENCY + MULTIPLY_LATENCY + ROW_TREE_LATENCY + COLUMN_TREE_LATENCY) + pairwise;
      KIND_CORR: return 16'(BUFFER_READ_LATENCY + MULTIPLY_LATENCY + ROW_TREE_LATENCY + ADD_LATENCY) + pairwise;
      KIND_AXPY: return 16'(BUFFER_READ_LATENCY + MULTIPLY_LATENCY + ADD_LATENCY);
      KIND_MVN: return 16'(BANK_READ_LATENCY + MULTIPLY_LATENCY + ROW_TREE_LATENCY) + pairwise;
      KIND_MVT: return 16'(BANK_READ_LATENCY + MULTIPLY_LATENCY + COLUMN_TREE_LATENCY) + pairwise;
      default: return 16'(BUFFER_READ_LATENCY + MULTIPLY_LATENCY);
    endcase
  endfunction

  // ---- Issue ----

  logic        issue, is_stream_op, is_dot;
  logic [31:0] parts, per_group, cycles, result_offset, network_offset;
  logic [3:0]  ready;

  assign is_stream_op = is_stream(op_i.kind);
  assign is_dot       = op_i.kind == KIND_DOT;
  always_comb begin
    unique case (op_i.kind)
      KIND_CORR:          parts = ceil_div(LANES_Y, READ_ELEMENTS);
      KIND_MVN, KIND_MVT: parts = ceil_div(LANES, BEAT_ELEMENTS);
      default:            parts = ceil_div(LANES, READ_ELEMENTS);
    endcase
  end
  assign per_group      = 32'(op_i.passes) * parts;
  assign cycles         = 32'(op_i.groups) * per_group;
  assign result_offset  = DECODE_LATENCY + 32'(depth(op_i.kind, log2_ceil(op_i.passes)));
  assign network_offset = result_offset + per_group - 32'd1;

  unit_timer i_port (
    .clk_i,
    .rst_ni,
    .uses_i  (is_stream_op),
    .offset_i(DECODE_LATENCY),
    .cycles_i(cycles),
    .ready_o (ready[0]),
    .issue_i (issue)
  );
  unit_timer i_lanes (
    .clk_i,
    .rst_ni,
    .uses_i  (1'b1),
    .offset_i(is_stream_op ? DECODE_LATENCY + BANK_READ_LATENCY : DECODE_LATENCY),
    .cycles_i(cycles),
    .ready_o (ready[1]),
    .issue_i (issue)
  );
  unit_timer i_result (
    .clk_i,
    .rst_ni,
    .uses_i  (~is_dot),
    .offset_i(result_offset),
    .cycles_i(cycles),
    .ready_o (ready[2]),
    .issue_i (issue)
  );
  unit_timer i_network (
    .clk_i,
    .rst_ni,
    .uses_i  (is_dot),
    .offset_i(network_offset),
    .cycles_i(cycles - per_group + 32'd1),
    .ready_o (ready[3]),
    .issue_i (issue)
  );
  assign op_ready_o = &ready;
  assign issue      = op_valid_i & op_ready_o;

  // ---- Decode and steps ----

  logic decoded_valid;
  op_t  decoded;
  delay_valid #(
    .WIDTH  (1),
    .LATENCY(DECODE_LATENCY - 1)
  ) i_decode_valid (
    .clk_i,
    .rst_ni,
    .data_i(issue),
    .data_o(decoded_valid)
  );
  delay #(
    .WIDTH  ($bits(op_t)),
    .LATENCY(DECODE_LATENCY - 1)
  ) i_decode (
    .clk_i,
    .data_i(op_i),
    .data_o(decoded)
  );

  logic  lanes_valid, beat_valid;
  step_t lanes_step, beat_step;
  op_runner #(
    .LANES_X      (LANES_X),
    .LANES_Y      (LANES_Y),
    .READ_ELEMENTS(READ_ELEMENTS),
    .BEAT_ELEMENTS(BEAT_ELEMENTS)
  ) i_lanes_runner (
    .clk_i,
    .rst_ni,
    .start_i(decoded_valid & ~is_stream(decoded.kind)),
    .op_i   (decoded),
    .valid_o(lanes_valid),
    .step_o (lanes_step)
  );
  op_runner #(
    .LANES_X      (LANES_X),
    .LANES_Y      (LANES_Y),
    .READ_ELEMENTS(READ_ELEMENTS),
    .BEAT_ELEMENTS(BEAT_ELEMENTS)
  ) i_beat_runner (
    .clk_i,
    .rst_ni,
    .start_i(decoded_valid & is_stream(decoded.kind)),
    .op_i   (decoded),
    .valid_o(beat_valid),
    .step_o (beat_step)
  );
  assign beat_request_o = beat_valid;

  logic  x_valid, read_valid;
  step_t x_step;
  delay_valid #(
    .WIDTH  (1),
    .LATENCY(BANK_READ_LATENCY - BUFFER_READ_LATENCY)
  ) i_x_valid (
    .clk_i,
    .rst_ni,
    .data_i(beat_valid),
    .data_o(x_valid)
  );
  delay #(
    .WIDTH  ($bits(step_t)),
    .LATENCY(BANK_READ_LATENCY - BUFFER_READ_LATENCY)
  ) i_x (
    .clk_i,
    .data_i(beat_step),
    .data_o(x_step)
  );
  assign read_valid = lanes_valid | x_valid;
  assign read_o     = x_valid ? x_step : lanes_step;
  delay_valid #(
    .WIDTH  (1),
    .LATENCY(BUFFER_READ_LATENCY)
  ) i_operand_valid (
    .clk_i,
    .rst_ni,
    .data_i(read_valid),
    .data_o(operand_valid_o)
  );
  delay #(
    .WIDTH  ($bits(step_t)),
    .LATENCY(BUFFER_READ_LATENCY)
  ) i_operand (
    .clk_i,
    .data_i(read_o),
    .data_o(operand_o)
  );

  // ---- Results ----

  // A function takes the whole step and looks at some of it.
  /* verilator lint_off UNUSEDSIGNAL */
  function automatic event_t result_event(step_t step);
    event_t e;
    e            = '0;
    e.kind       = step.kind;
    e.id         = step.id;
    e.last_part  = step.last_part;
    e.last_group = step.last_group;
    e.part       = step.part;
    e.row        = step.row_z;
    e.offset     = step.offset_z;
    return e;
  endfunction

  function automatic logic is_last(step_t step);
    return step.last_part & step.last_pass & step.last_group;
  endfunction
  /* verilator lint_on UNUSEDSIGNAL */

  logic   z_read_valid, result_due;
  event_t result_tap;
  // z is read so that it arrives for the last addition before the result. One event per part: parts
  // of z are read one by one, the result is written with the last.
  schedule #(
    .DEPTH  (LONGEST),
    .TAP    (BUFFER_READ_LATENCY + ADD_LATENCY),
    .ENTRIES(2)
  ) i_result_schedule (
    .clk_i,
    .rst_ni,
    .enter_i    ({beat_valid & beat_step.last_pass,
                  lanes_valid & lanes_step.last_pass & (lanes_step.kind != KIND_DOT)}),
    .delay_i    ({depth(beat_step.kind, beat_step.levels), depth(lanes_step.kind, lanes_step.levels)}),
    .event_i    ({result_event(beat_step), result_event(lanes_step)}),
    .tap_valid_o(z_read_valid),
    .tap_o      (result_tap),
    .due_valid_o(result_due),
    .due_o      (result_o)
  );
  assign result_valid_o = result_due & result_o.last_part;

  always_comb begin
    z_read_o        = result_tap;
    z_read_o.offset = result_tap.offset + result_tap.part * count_t'(READ_ELEMENTS);
  end
  delay_valid #(
    .WIDTH  (1),
    .LATENCY(BUFFER_READ_LATENCY)
  ) i_z_valid (
    .clk_i,
    .rst_ni,
    .data_i(z_read_valid & is_correction(result_tap.kind)),
    .data_o(z_valid_o)
  );
  delay #(
    .WIDTH  ($bits(event_t)),
    .LATENCY(BUFFER_READ_LATENCY)
  ) i_z (
    .clk_i,
    .data_i(z_read_o),
    .data_o(z_o)
  );

  logic   unused_tap_valid;
  event_t unused_tap;
  schedule #(
    .DEPTH  (LONGEST),
    .TAP    (0),
    .ENTRIES(1)
  ) i_network_schedule (
    .clk_i,
    .rst_ni,
    .enter_i    (lanes_valid & lanes_step.last_pass & lanes_step.last_part & (lanes_step.kind == KIND_DOT)),
    .delay_i    (depth(lanes_step.kind, lanes_step.levels)),
    .event_i    (result_event(lanes_step)),
    .tap_valid_o(unused_tap_valid),
    .tap_o      (unused_tap),
    .due_valid_o(network_valid_o),
    .due_o      (network_o)
  );

  // ---- Release and done ----

  delay_valid #(
    .WIDTH  (1 + $bits(id_t)),
    .LATENCY(1)
  ) i_release (
    .clk_i,
    .rst_ni,
    .data_i({lanes_valid & is_last(lanes_step), lanes_step.id}),
    .data_o({release_valid_o[0], release_id_o[0]})
  );
  delay_valid #(
    .WIDTH  (1 + $bits(id_t)),
    .LATENCY(BANK_READ_LATENCY + 1)
  ) i_stream_release (
    .clk_i,
    .rst_ni,
    .data_i({beat_valid & is_last(beat_step), beat_step.id}),
    .data_o({release_valid_o[1], release_id_o[1]})
  );
  // One register more than the write takes: the busy bit.
  delay_valid #(
    .WIDTH  (1 + $bits(id_t)),
    .LATENCY(BUFFER_WRITE_LATENCY + 1)
  ) i_result_done (
    .clk_i,
    .rst_ni,
    .data_i({result_valid_o & result_o.last_group, result_o.id}),
    .data_o({done_valid_o[0], done_id_o[0]})
  );
  // With one cluster per partition the network is a wire: the register of partial sums, the busy bit.
  delay_valid #(
    .WIDTH  (1 + $bits(id_t)),
    .LATENCY(2)
  ) i_network_done (
    .clk_i,
    .rst_ni,
    .data_i({network_valid_o & network_o.last_group, network_o.id}),
    .data_o({done_valid_o[1], done_id_o[1]})
  );

  assert property (@(posedge clk_i) disable iff (!rst_ni) !(lanes_valid && x_valid))
  else $error("cluster_sequencer: ops %0d and %0d read operands in one cycle", lanes_step.id, x_step.id);

endmodule
