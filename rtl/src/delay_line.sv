// A value of TYPE-less WIDTH bits with its valid bit, LATENCY cycles later.
module delay_line #(
  parameter int unsigned WIDTH   = 1,
  parameter int unsigned LATENCY = 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             valid_i,
  input  logic [WIDTH-1:0] data_i,
  output logic             valid_o,
  output logic [WIDTH-1:0] data_o
);

  delay_valid #(
    .WIDTH  (1),
    .LATENCY(LATENCY)
  ) i_valid (
    .clk_i,
    .rst_ni,
    .data_i(valid_i),
    .data_o(valid_o)
  );
  delay #(
    .WIDTH  (WIDTH),
    .LATENCY(LATENCY)
  ) i_data (
    .clk_i,
    .data_i,
    .data_o
  );

endmodule
