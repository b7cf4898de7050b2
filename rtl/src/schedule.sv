// Events that are due a known number of cycles after they are entered: one register per cycle, and an
// event enters as many registers before the end as its delay says.
//
// Two events must not be due in the same cycle; the units of machine.md, section 3 ensure it.
module schedule #(
  parameter int unsigned DEPTH   = 16,  // largest delay
  parameter int unsigned TAP     = 0,   // `tap_o` is `due_o` so many cycles early
  parameter int unsigned ENTRIES = 1
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  input  logic                  [ENTRIES-1:0] enter_i,
  input  logic                  [ENTRIES-1:0][15:0] delay_i,
  input  cluster_pkg::event_t   [ENTRIES-1:0] event_i,
  output logic                                tap_valid_o,
  output cluster_pkg::event_t                 tap_o,
  output logic                                due_valid_o,
  output cluster_pkg::event_t                 due_o
);
  import cluster_pkg::*;

  logic   [DEPTH-1:0] valid_q, valid_d, collides;
  event_t [DEPTH-1:0] event_q, event_d;

  always_comb begin
    valid_d  = valid_q >> 1;
    collides = '0;
    for (int unsigned i = 0; i < DEPTH; i++) event_d[i] = i + 1 < DEPTH ? event_q[i+1] : '0;
    for (int unsigned i = 0; i < ENTRIES; i++) begin
      for (int unsigned j = 0; j < DEPTH; j++) begin
        if (enter_i[i] && delay_i[i] == 16'(j + 1)) begin
          collides[j] |= valid_d[j];
          valid_d[j] = 1'b1;
          event_d[j] = event_i[i];
        end
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= valid_d;
  end
  always_ff @(posedge clk_i) event_q <= event_d;

  assign {tap_valid_o, tap_o} = {valid_q[TAP], event_q[TAP]};
  assign {due_valid_o, due_o} = {valid_q[0], event_q[0]};

  assert property (@(posedge clk_i) disable iff (!rst_ni) collides == '0)
  else $error("schedule: two events are due in one cycle");
  for (genvar i = 0; i < ENTRIES; i++) begin : gen_delay_check
    assert property (@(posedge clk_i) disable iff (!rst_ni)
        !enter_i[i] || (delay_i[i] != '0 && 32'(delay_i[i]) <= DEPTH))
    else $error("schedule: delay %0d is not in 1..%0d", delay_i[i], DEPTH);
  end

endmodule
