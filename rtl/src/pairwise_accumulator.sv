// Sums a sequence of up to 2^LEVELS words, one or fewer per cycle, by the tree over their index: a
// binary counter with one adder per level (machine.md, "chunk").
//
// The sum of n words leaves ADD_LATENCY ceil(log2 n) cycles after the last of them, by the route that
// came with it. The next sequence may follow at once. If it is shorter its sum may be due in the same
// cycle as this one's, then by another route: to be subtracted from z while the other one is written.
// By the same route the order of the result and network units keeps them apart.
module pairwise_accumulator #(
  parameter int unsigned WIDTH       = 16,
  parameter int unsigned LEVELS      = 4,
  parameter int unsigned ADD_LATENCY = 1
) (
  input  logic             clk_i,
  /* verilator lint_off SYNCASYNCNET */  // only assertions sample the reset
  input  logic             rst_ni,
  /* verilator lint_on SYNCASYNCNET */
  input  logic             valid_i,
  input  logic             last_i,
  input  logic             route_i,
  input  logic [WIDTH-1:0] data_i,
  output logic [1:0]         valid_o,  // by route
  output logic [2*WIDTH-1:0] sum_o     // by route
);

  logic [LEVELS:0]             valid, last, route, root_valid;
  logic [(LEVELS+1)*WIDTH-1:0] data, root;

  assign valid[0] = valid_i;
  assign last[0]  = last_i;
  assign route[0] = route_i;
  assign data[0+:WIDTH] = data_i;
  for (genvar i = 0; i < LEVELS; i++) begin : gen_level
    pairwise_level #(
      .WIDTH      (WIDTH),
      .ADD_LATENCY(ADD_LATENCY)
    ) i_level (
      .clk_i,
      .rst_ni,
      .valid_i     (valid[i]),
      .last_i      (last[i]),
      .route_i     (route[i]),
      .data_i      (data[i*WIDTH+:WIDTH]),
      .root_valid_o(root_valid[i]),
      .root_o      (root[i*WIDTH+:WIDTH]),
      .valid_o     (valid[i+1]),
      .last_o      (last[i+1]),
      .route_o     (route[i+1]),
      .data_o      (data[(i+1)*WIDTH+:WIDTH])
    );
  end
  assign root_valid[LEVELS] = valid[LEVELS];
  assign root[LEVELS*WIDTH+:WIDTH] = data[LEVELS*WIDTH+:WIDTH];

  for (genvar i = 0; i < 2; i++) begin : gen_route
    logic [LEVELS:0]  leaves;
    logic [WIDTH-1:0] sum;
    assign leaves = root_valid & (i == 1 ? route : ~route);
    assign valid_o[i] = |leaves;
    always_comb begin
      sum = '0;
      for (int unsigned j = 0; j <= LEVELS; j++) sum = sum | (root[j*WIDTH+:WIDTH] & {WIDTH{leaves[j]}});
    end
    assign sum_o[i*WIDTH+:WIDTH] = sum;
`ifndef SYNTHESIS
    assert property (@(posedge clk_i) disable iff (!rst_ni) $onehot0(leaves))
    else $error("pairwise_accumulator: two sums are due in one cycle by one route");
`endif
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) !valid[LEVELS] || last[LEVELS])
  else $error("pairwise_accumulator: more than 2^%0d words", LEVELS);
`endif

endmodule
