// After a reset, the rows of a memory one after the other: its writes of zeros.
module row_clearer #(
  parameter  int unsigned ROWS  = 16,
  localparam int unsigned WIDTH = ROWS > 1 ? $clog2(ROWS) : 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  output logic             valid_o,
  output logic [WIDTH-1:0] row_o
);

  logic [31:0] row_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) row_q <= '0;
    else if (valid_o) row_q <= row_q + 32'd1;
  end
  assign valid_o = row_q != ROWS;
  assign row_o   = row_q[WIDTH-1:0];

endmodule
