// One level of the pairwise accumulator: adds the sums 0 and 1, 2 and 3, ... of a sequence.
//
// The last sum of a sequence is added to +0 if it has no partner, but it is the root, and leaves
// unchanged and at once, if it is the only one.
module pairwise_level #(
  parameter int unsigned WIDTH       = 16,
  parameter int unsigned ADD_LATENCY = 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             valid_i,
  input  logic             last_i,
  input  logic             route_i,
  input  logic [WIDTH-1:0] data_i,
  output logic             root_valid_o,
  output logic [WIDTH-1:0] root_o,
  output logic             valid_o,
  output logic             last_o,
  output logic             route_o,
  output logic [WIDTH-1:0] data_o
);

  logic [WIDTH-1:0] waiting_q;
  logic             is_waiting_q, is_later_q;
  logic             add;
  logic [WIDTH-1:0] left, right;

  assign root_valid_o = valid_i & last_i & ~is_later_q;
  assign root_o       = data_i;
  assign add          = valid_i & ~root_valid_o & (is_waiting_q | last_i);
  assign {left, right} = is_waiting_q ? {waiting_q, data_i} : {data_i, {WIDTH{1'b0}}};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      is_waiting_q <= 1'b0;
      is_later_q   <= 1'b0;
    end else if (valid_i) begin
      is_waiting_q <= ~is_waiting_q & ~last_i;
      is_later_q   <= ~last_i;
    end
  end
  always_ff @(posedge clk_i) if (valid_i) waiting_q <= data_i;

  fp_add #(
    .WIDTH  (WIDTH),
    .LATENCY(ADD_LATENCY)
  ) i_add (
    .clk_i,
    .a_i  (left),
    .b_i  (right),
    .sum_o(data_o)
  );
  delay_valid #(
    .WIDTH  (3),
    .LATENCY(ADD_LATENCY)
  ) i_valid (
    .clk_i,
    .rst_ni,
    .data_i({add, add & last_i, route_i}),
    .data_o({valid_o, last_o, route_o})
  );

endmodule
