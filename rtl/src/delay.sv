// LATENCY registers in a row; LATENCY = 0 is a wire.
//
// No reset: data. What says whether it is valid goes through `delay_valid`.
module delay #(
  parameter int unsigned WIDTH   = 1,
  parameter int unsigned LATENCY = 1
) (
  input  logic             clk_i,
  input  logic [WIDTH-1:0] data_i,
  output logic [WIDTH-1:0] data_o
);

  if (LATENCY == 0) begin : gen_wire
    logic unused_clk;
    assign unused_clk = clk_i;
    assign data_o = data_i;
  end else begin : gen_registers
    logic [LATENCY*WIDTH-1:0] data_q;
    always_ff @(posedge clk_i) data_q <= (LATENCY * WIDTH)'({data_q, data_i});
    assign data_o = data_q[LATENCY*WIDTH-1-:WIDTH];
  end

endmodule
