// a b 2^exponent for binary16 a and b: exact as binary32 (EXACT), or rounded once to binary16.
//
// The exact product has at most 22 significant bits and, for |exponent| <= 64, an exponent of -112 to
// 95: it is a normal binary32, so that rounding it to binary16 is the one rounding of the product.
// A combinational core with LATENCY registers behind it; synthesis moves them into the core.
module fp16_multiply #(
  parameter  bit          EXACT   = 1'b0,
  parameter  int unsigned LATENCY = 1,
  localparam int unsigned WIDTH   = EXACT ? 32 : 16
) (
  input  logic              clk_i,
  input  logic [15:0]       a_i /* verilator public_flat_rd */,
  input  logic [15:0]       b_i /* verilator public_flat_rd */,
  input  logic signed [7:0] exponent_i,
  output logic [WIDTH-1:0]  product_o
);
  /* verilator no_inline_module */  // with its inputs public: one copy of the code for all instances

  logic [21:0]       product, normal;
  logic [4:0]        zeros, exponent_a, exponent_b;
  logic signed [9:0] exponent;
  logic [31:0]       exact;
  logic [WIDTH-1:0]  result;
  logic              sign, is_zero, is_infinite, is_nan, a_special, b_special, a_nan, b_nan;

  assign product = 22'({a_i[14:10] != '0, a_i[9:0]}) * 22'({b_i[14:10] != '0, b_i[9:0]});
  always_comb begin
    zeros = 5'd22;
    for (int unsigned i = 0; i < 22; i++) begin
      if (product[i]) zeros = 5'(21 - i);
    end
  end
  assign normal  = product << zeros;
  // The exponent of a subnormal is that of the smallest normal.
  assign exponent_a = a_i[14:10] == '0 ? 5'd1 : a_i[14:10];
  assign exponent_b = b_i[14:10] == '0 ? 5'd1 : b_i[14:10];
  // Significands are integers of units 2^-25 below the biased exponents; the leading one of the
  // product has weight 21 - zeros. 127 is the bias of binary32: 127 - 2 * 25 + 21 = 98.
  assign exponent = 10'sd98 + $signed({5'd0, exponent_a}) + $signed({5'd0, exponent_b})
      + 10'(exponent_i) - $signed({5'd0, zeros});

  assign sign        = a_i[15] ^ b_i[15];
  assign a_special   = a_i[14:10] == '1;
  assign b_special   = b_i[14:10] == '1;
  assign a_nan       = a_special & (a_i[9:0] != '0);
  assign b_nan       = b_special & (b_i[9:0] != '0);
  assign is_zero     = product == '0;
  assign is_infinite = a_special | b_special;
  assign is_nan      = a_nan | b_nan | (is_infinite & is_zero);

  always_comb begin
    if (is_nan) exact = 32'h7fc00000;
    else if (is_infinite) exact = {sign, 31'h7f800000};
    else if (is_zero) exact = {sign, 31'd0};
    else exact = {sign, exponent[7:0], normal[20:0], 2'b00};
  end

  if (EXACT) begin : gen_exact
    assign result = exact;
  end else begin : gen_rounded
    fp_round i_round (
      .data_i(exact),
      .data_o(result)
    );
  end

  delay #(
    .WIDTH  (WIDTH),
    .LATENCY(LATENCY)
  ) i_delay (
    .clk_i,
    .data_i(result),
    .data_o(product_o)
  );

  logic [2:0] unused;
  assign unused = {exponent[9:8], normal[21]};

endmodule
