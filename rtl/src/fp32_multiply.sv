// IEEE 754 binary32 multiplication: round to nearest even, subnormals, overflow to infinity; every NaN
// result is 0x7fc00000. Combinational: the scalar unit gives it its latency.
module fp32_multiply (
  input  logic [31:0] a_i,
  input  logic [31:0] b_i,
  output logic [31:0] product_o
);

  logic [23:0]        significand_a, significand_b;
  logic [47:0]        product;
  logic signed [10:0] exponent;
  logic               a_special, b_special, is_nan;

  assign significand_a = {a_i[30:23] != '0, a_i[22:0]};
  assign significand_b = {b_i[30:23] != '0, b_i[22:0]};
  assign product       = 48'(significand_a) * 48'(significand_b);
  // The product is an integer of units 2^(ea + eb - 2 (127 + 23)); fp32_pack takes the exponent of bit 47.
  assign exponent = $signed({3'd0, a_i[30:23] == '0 ? 8'd1 : a_i[30:23]})
      + $signed({3'd0, b_i[30:23] == '0 ? 8'd1 : b_i[30:23]}) - 11'sd126;
  assign a_special = a_i[30:23] == '1;
  assign b_special = b_i[30:23] == '1;
  assign is_nan    = (a_special & (a_i[22:0] != '0)) | (b_special & (b_i[22:0] != '0))
      | ((a_special | b_special) & (product == '0));

  logic [31:0] packed_product;
  fp32_pack #(
    .WIDTH(48)
  ) i_pack (
    .sign_i       (a_i[31] ^ b_i[31]),
    .exponent_i   (exponent),
    .significand_i(product),
    .data_o       (packed_product)
  );
  always_comb begin
    product_o = packed_product;
    if (is_nan) product_o = 32'h7fc00000;
    else if (a_special | b_special) product_o = {a_i[31] ^ b_i[31], 31'h7f800000};
  end

endmodule
