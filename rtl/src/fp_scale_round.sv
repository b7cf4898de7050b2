// x 2^power rounded once to binary16. Combinational.
module fp_scale_round (
  input  logic [31:0]        data_i,
  input  logic signed [20:0] power_i,
  output logic [15:0]        data_o
);

  logic [4:0]         zeros;
  logic [23:0]        normal;
  logic signed [20:0] exponent;
  logic [31:0]        scaled;
  always_comb begin
    zeros = 5'd0;
    for (int unsigned i = 0; i < 23; i++) begin
      if (data_i[i]) zeros = 5'(23 - i);
    end
    if (data_i[30:23] != '0) zeros = 5'd0;
  end
  assign normal   = {data_i[30:23] != '0, data_i[22:0]} << zeros;
  assign exponent = $signed({13'd0, data_i[30:23] == '0 ? 8'd1 : data_i[30:23]}) - $signed({16'd0, zeros}) + power_i;
  // Far below or above the range of binary16, any value stands for all.
  always_comb begin
    scaled = {data_i[31], exponent[7:0], normal[22:0]};
    if (data_i[30:23] == '1 || data_i[30:0] == '0) scaled = data_i;
    else if (exponent < 21'sd1) scaled = {data_i[31], 31'd0};
    else if (exponent > 21'sd254) scaled = {data_i[31], 31'h7f800000};
  end
  fp_round i_round (
    .data_i(scaled),
    .data_o
  );

  logic unused;
  assign unused = normal[23];

endmodule
