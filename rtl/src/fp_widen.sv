// binary16 to binary32, exact; NaN to 0x7fc00000. Combinational.
module fp_widen (
  input  logic [15:0] data_i /* verilator public_flat_rd */,
  output logic [31:0] data_o
);
  /* verilator no_inline_module */  // with its inputs public: one copy of the code for all instances

  logic [3:0] zeros;
  logic [9:0] fraction;

  always_comb begin
    zeros = 4'd10;
    for (int unsigned i = 0; i < 10; i++) begin
      if (data_i[i]) zeros = 4'(9 - i);
    end
  end
  // The leading one of a subnormal becomes the hidden bit.
  assign fraction = data_i[9:0] << (zeros + 4'd1);

  always_comb begin
    data_o = {data_i[15], 31'd0};
    if (data_i[14:10] == '1) data_o[30:0] = data_i[9:0] != '0 ? 31'h7fc00000 : 31'h7f800000;
    else if (data_i[14:10] != '0) data_o[30:0] = {8'(data_i[14:10]) + 8'd112, data_i[9:0], 13'd0};
    else if (data_i[9:0] != '0) data_o[30:0] = {8'd112 - 8'(zeros), fraction, 13'd0};
    if (data_i[14:10] == '1 && data_i[9:0] != '0) data_o[31] = 1'b0;
  end

endmodule
