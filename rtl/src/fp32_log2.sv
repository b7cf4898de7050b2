// floor(log2 x) as a binary32 value; 0 for zero, negative, infinite or NaN x. Combinational.
module fp32_log2 (
  input  logic [31:0] data_i,
  output logic [31:0] data_o
);

  logic [4:0]        zeros;
  logic signed [9:0] exponent;
  logic [7:0]        magnitude;
  logic [2:0]        leading;
  always_comb begin
    zeros = 5'd0;
    for (int unsigned i = 0; i < 23; i++) begin
      if (data_i[i]) zeros = 5'(23 - i);
    end
    if (data_i[30:23] != '0) zeros = 5'd0;
  end
  assign exponent  = $signed({2'd0, data_i[30:23] == '0 ? 8'd1 : data_i[30:23]}) - 10'sd127 - $signed({5'd0, zeros});
  assign magnitude = exponent < 0 ? 8'(-exponent) : exponent[7:0];
  always_comb begin
    leading = '0;
    for (int unsigned i = 0; i < 8; i++) begin
      if (magnitude[i]) leading = 3'(i);
    end
    data_o = {exponent[9], 8'd127 + 8'(leading), 23'(magnitude) << (5'd23 - 5'(leading))};
    if (magnitude == '0 || data_i[31] || data_i[30:0] == '0 || data_i[30:23] == '1) data_o = '0;
  end

endmodule
