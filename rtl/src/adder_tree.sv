// Sum of OPERANDS words by a tree of adjacent pairs.
//
// Operands missing up to the next power of two are +0 and the additions with them are performed
// where the other operand exists (machine.md, "tree"): -0 + nothing is +0. One operand is its own sum.
// Latency: ADD_LATENCY ceil(log2 OPERANDS).
module adder_tree #(
  parameter int unsigned OPERANDS    = 2,
  parameter int unsigned WIDTH       = 16,
  parameter int unsigned ADD_LATENCY = 1
) (
  input  logic                      clk_i,
  input  logic [OPERANDS*WIDTH-1:0] operands_i,
  output logic [WIDTH-1:0]          sum_o
);

  if (OPERANDS == 1) begin : gen_leaf
    logic unused_clk;
    assign unused_clk = clk_i;
    assign sum_o = operands_i;
  end else begin : gen_level
    localparam int unsigned PAIRS = (OPERANDS + 1) / 2;
    logic [2*PAIRS*WIDTH-1:0] padded;
    logic [PAIRS*WIDTH-1:0]   sums;
    assign padded = (2 * PAIRS * WIDTH)'(operands_i);
    for (genvar i = 0; i < PAIRS; i++) begin : gen_pair
      fp_add #(
        .WIDTH  (WIDTH),
        .LATENCY(ADD_LATENCY)
      ) i_add (
        .clk_i,
        .a_i  (padded[2*i*WIDTH+:WIDTH]),
        .b_i  (padded[(2*i+1)*WIDTH+:WIDTH]),
        .sum_o(sums[i*WIDTH+:WIDTH])
      );
    end
    adder_tree #(
      .OPERANDS   (PAIRS),
      .WIDTH      (WIDTH),
      .ADD_LATENCY(ADD_LATENCY)
    ) i_rest (
      .clk_i,
      .operands_i(sums),
      .sum_o
    );
  end

endmodule
