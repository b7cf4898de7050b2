// Steps of one op: for every group, every pass, every part of the operands, one step per cycle from
// the cycle after `start_i` on. The next op may start in the cycle of the last step.
module op_runner #(
  parameter int unsigned LANES_X       = 4,
  parameter int unsigned LANES_Y       = 4,
  parameter int unsigned READ_ELEMENTS = 16,
  parameter int unsigned BEAT_ELEMENTS = 16
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               start_i,
  input  cluster_pkg::op_t   op_i,
  output logic               valid_o,
  output cluster_pkg::step_t step_o
);
  import cluster_pkg::*;

  op_t         op_q;
  logic        busy_q, last_part, last_pass, last_group, end_of_pass, end_of_group;
  count_t      part_q, pass_q, group_q, parts;
  logic [31:0] elements_q, pass_elements;
  count_t      row_a, offset_a, row_b, offset_b, row_z, offset_z, part_offset;
  stride_e     stride_a, stride_b, stride_z;

  // Parts as machine.md counts them: per lane for ops on all lanes, per row of lanes for corr.
  always_comb begin
    stride_a      = STRIDE_ROW;
    stride_b      = STRIDE_ROW;
    stride_z      = STRIDE_ROW;
    parts         = count_t'(ceil_div(LANES_X * LANES_Y, READ_ELEMENTS));
    pass_elements = LANES_X * LANES_Y;
    unique case (op_q.kind)
      KIND_CORR: begin
        stride_a      = STRIDE_LANES_Y;
        stride_b      = STRIDE_LANES_X;
        stride_z      = STRIDE_LANES_Y;
        parts         = count_t'(ceil_div(LANES_Y, READ_ELEMENTS));
        pass_elements = LANES_X;
      end
      KIND_MVN: begin
        stride_b      = STRIDE_LANES_X;
        stride_z      = STRIDE_LANES_Y;
        parts         = count_t'(ceil_div(LANES_X * LANES_Y, BEAT_ELEMENTS));
        pass_elements = LANES_X;
      end
      KIND_MVT: begin
        stride_b      = STRIDE_LANES_Y;
        stride_z      = STRIDE_LANES_X;
        parts         = count_t'(ceil_div(LANES_X * LANES_Y, BEAT_ELEMENTS));
        pass_elements = LANES_Y;
      end
      default: ;
    endcase
  end

  assign last_part    = part_q == parts - count_t'(1);
  assign last_pass    = pass_q == op_q.passes - count_t'(1);
  assign last_group   = group_q == op_q.groups - count_t'(1);
  assign end_of_pass  = busy_q & last_part;
  assign end_of_group = end_of_pass & last_pass;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) busy_q <= 1'b0;
    else if (start_i) busy_q <= 1'b1;
    else if (end_of_group && last_group) busy_q <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      op_q       <= op_i;
      part_q     <= '0;
      pass_q     <= '0;
      group_q    <= '0;
      elements_q <= op_i.groups == count_t'(1) ? op_i.elements_last : op_i.elements;
    end else if (busy_q) begin
      part_q <= last_part ? '0 : part_q + count_t'(1);
      if (end_of_group) begin
        pass_q     <= '0;
        group_q    <= group_q + count_t'(1);
        elements_q <= group_q + count_t'(2) == op_q.groups ? op_q.elements_last : op_q.elements;
      end else if (end_of_pass) begin
        pass_q     <= pass_q + count_t'(1);
        elements_q <= elements_q > pass_elements ? elements_q - pass_elements : '0;
      end
    end
  end

  // dot walks through both vectors; the coefficients of corr and the full copy of a stream are read
  // anew for every group; a scalar stays.
  address #(
    .LANES_X(LANES_X),
    .LANES_Y(LANES_Y)
  ) i_address_a (
    .clk_i,
    .load_i   (start_i),
    .row_i    (op_i.row_a),
    .restart_i(1'b0),
    .advance_i(op_q.kind == KIND_DOT ? end_of_pass : end_of_group),
    .stride_i (stride_a),
    .row_o    (row_a),
    .offset_o (offset_a)
  );
  address #(
    .LANES_X(LANES_X),
    .LANES_Y(LANES_Y)
  ) i_address_b (
    .clk_i,
    .load_i   (start_i),
    .row_i    (op_i.row_b),
    .restart_i(end_of_group & (op_q.kind != KIND_DOT)),
    .advance_i(end_of_pass),
    .stride_i (stride_b),
    .row_o    (row_b),
    .offset_o (offset_b)
  );
  address #(
    .LANES_X(LANES_X),
    .LANES_Y(LANES_Y)
  ) i_address_z (
    .clk_i,
    .load_i   (start_i),
    .row_i    (op_i.row_z),
    .restart_i(1'b0),
    .advance_i(end_of_group),
    .stride_i (stride_z),
    .row_o    (row_z),
    .offset_o (offset_z)
  );
  assign part_offset = part_q * count_t'(READ_ELEMENTS);

  assign valid_o = busy_q;
  always_comb begin
    step_o            = '0;
    step_o.kind       = op_q.kind;
    step_o.id         = op_q.id;
    step_o.last_part  = last_part;
    step_o.last_pass  = last_pass;
    step_o.last_group = last_group;
    step_o.part       = part_q;
    step_o.row_a      = row_a;
    step_o.offset_a   = offset_a + part_offset;
    step_o.row_b      = row_b;
    step_o.offset_b   = offset_b + part_offset;
    step_o.row_z      = row_z;
    step_o.offset_z   = offset_z;
    step_o.elements   = elements_q;
    step_o.levels     = log2_ceil(op_q.passes);
    step_o.scalar     = op_q.scalar;
    step_o.exponent   = op_q.exponent;
  end

  assert property (@(posedge clk_i) disable iff (!rst_ni) !(start_i && busy_q && !(end_of_group && last_group)))
  else $error("op_runner: op %0d starts while op %0d runs", op_i.id, op_q.id);
  assert property (@(posedge clk_i) disable iff (!rst_ni) !start_i || (op_i.groups != 0 && op_i.passes != 0))
  else $error("op_runner: op %0d has no steps", op_i.id);

  logic unused_rows;
  assign unused_rows = ^{op_q.row_a, op_q.row_b, op_q.row_z};

endmodule
