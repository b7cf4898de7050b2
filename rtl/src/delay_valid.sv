// As `delay`, cleared by reset: for valid bits and what travels with them.
module delay_valid #(
  parameter int unsigned WIDTH   = 1,
  parameter int unsigned LATENCY = 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [WIDTH-1:0] data_i,
  output logic [WIDTH-1:0] data_o
);

  if (LATENCY == 0) begin : gen_wire
    logic [1:0] unused;
    assign unused = {clk_i, rst_ni};
    assign data_o = data_i;
  end else begin : gen_registers
    logic [LATENCY*WIDTH-1:0] data_q;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) data_q <= '0;
      else data_q <= (LATENCY * WIDTH)'({data_q, data_i});
    end
    assign data_o = data_q[LATENCY*WIDTH-1-:WIDTH];
  end

endmodule
