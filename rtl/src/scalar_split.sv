// A binary32 value as an fp16 mantissa in [1, 2) with its sign and a power of two from -64 to 64, as sbc
// broadcasts it. Zero keeps its sign, infinity and NaN give themselves; their exponent is 0. Combinational.
module scalar_split (
  input  logic [31:0]       data_i,
  output logic [15:0]       mantissa_o,
  output logic signed [7:0] exponent_o
);

  logic [4:0]         zeros;
  logic [23:0]        normal;
  logic signed [10:0] exponent;
  logic [15:0]        rounded;
  logic               carries;
  always_comb begin
    zeros = 5'd24;
    for (int unsigned i = 0; i < 23; i++) begin
      if (data_i[i]) zeros = 5'(23 - i);
    end
    if (data_i[30:23] != '0) zeros = 5'd0;
  end
  assign normal   = {data_i[30:23] != '0, data_i[22:0]} << zeros;
  assign exponent = $signed({3'd0, data_i[30:23] == '0 ? 8'd1 : data_i[30:23]}) - $signed({6'd0, zeros}) - 11'sd127;
  fp_round i_round (
    .data_i({data_i[31], 8'd127, normal[22:0]}),
    .data_o(rounded)
  );
  // 2.0 becomes 1.0 with the exponent one up.
  assign carries = rounded[14:10] == 5'd16;

  logic signed [10:0] raised;
  assign raised = exponent + 11'(carries);
  always_comb begin
    mantissa_o = carries ? {data_i[31], 15'h3c00} : rounded;
    exponent_o = raised > 11'sd64 ? 8'sd64 : raised < -11'sd64 ? -8'sd64 : raised[7:0];
    if (data_i[30:23] == '1) begin
      mantissa_o = data_i[22:0] != '0 ? 16'h7e00 : {data_i[31], 15'h7c00};
      exponent_o = '0;
    end else if (data_i[30:0] == '0) begin
      mantissa_o = {data_i[31], 15'd0};
      exponent_o = '0;
    end
  end

  logic unused;
  assign unused = normal[23];

endmodule
