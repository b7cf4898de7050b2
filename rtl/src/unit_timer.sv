// When a unit is free: an op that uses it from `offset_i` after its issue may issue if the unit is free
// then (machine.md, section 3, rule 3 of "Issue"). Units never fill gaps.
module unit_timer (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        uses_i,     // the op uses this unit
  input  logic [31:0] offset_i,
  input  logic [31:0] cycles_i,
  output logic        ready_o,
  input  logic        issue_i
);

  // Cycles from now until the unit is free.
  logic [31:0] busy_q;

  assign ready_o = ~uses_i | (offset_i >= busy_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) busy_q <= '0;
    else if (issue_i && uses_i) busy_q <= offset_i + cycles_i - 32'd1;
    else if (busy_q != '0) busy_q <= busy_q - 32'd1;
  end

endmodule
