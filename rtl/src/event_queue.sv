// Events that are due a known number of cycles after they are entered: one register per cycle, and an
// event enters as many registers before the end as its delay says.
//
// Two events are never due in the same cycle: the units of machine.md, section 3, see to that.
module event_queue #(
  parameter int unsigned WIDTH = 1,
  parameter int unsigned DEPTH = 16,  // largest delay
  parameter int unsigned TAP   = 0    // `tap_o` is `due_o` so many cycles early
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             enter_i,
  input  logic [15:0]      delay_i,
  input  logic [WIDTH-1:0] event_i,
  output logic             tap_valid_o,
  output logic [WIDTH-1:0] tap_o,
  output logic             due_valid_o,
  output logic [WIDTH-1:0] due_o
);

  logic [DEPTH-1:0]            valid_q;
  logic [DEPTH-1:0][WIDTH-1:0] event_q;
  logic                        collides;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
    end else begin
      for (int unsigned i = 0; i < DEPTH; i++) begin
        valid_q[i] <= (enter_i & (delay_i == 16'(i + 1))) | (i + 1 < DEPTH ? valid_q[(i+1)%DEPTH] : 1'b0);
      end
    end
  end
  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < DEPTH; i++) begin
      if (enter_i && delay_i == 16'(i + 1)) event_q[i] <= event_i;
      else event_q[i] <= event_q[(i+1)%DEPTH];
    end
  end
  always_comb begin
    collides = 1'b0;
    for (int unsigned i = 0; i + 1 < DEPTH; i++) begin
      if (enter_i && delay_i == 16'(i + 1) && valid_q[i+1]) collides = 1'b1;
    end
  end

  assign {tap_valid_o, tap_o} = {valid_q[TAP], event_q[TAP]};
  assign {due_valid_o, due_o} = {valid_q[0], event_q[0]};

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) !collides)
  else $error("event_queue: two events are due in one cycle");
  assert property (@(posedge clk_i) disable iff (!rst_ni) !enter_i || (delay_i != '0 && 32'(delay_i) <= DEPTH))
  else $error("event_queue: delay %0d is not in 1..%0d", delay_i, DEPTH);
`else
  logic unused;
  assign unused = collides;
`endif

endmodule
