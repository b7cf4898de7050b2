// a b 2^exponent for binary16 a and b: exact as binary32 (EXACT), or rounded once to binary16.
//
// The exact product has at most 22 significant bits and, for |exponent| <= 64, an exponent of -112 to
// 95: it is a normal binary32. The leading zeros of the product are those of the operands, or one
// more; they are counted beside the multiplication.
//
// The last of the LATENCY registers are behind the result; from 2 on one is behind the product.
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

  localparam int unsigned PRODUCT_LATENCY = LATENCY > 1 ? 1 : 0;

  // ---- Product of the significands ----

  logic [10:0] significand_a, significand_b;
  logic [4:0]  exponent_a, exponent_b;
  logic [3:0]  zeros_a, zeros_b;
  logic        a_special, b_special, is_infinite, is_nan;

  assign significand_a = {a_i[14:10] != '0, a_i[9:0]};
  assign significand_b = {b_i[14:10] != '0, b_i[9:0]};
  // The exponent of a subnormal is that of the smallest normal.
  assign exponent_a = a_i[14:10] == '0 ? 5'd1 : a_i[14:10];
  assign exponent_b = b_i[14:10] == '0 ? 5'd1 : b_i[14:10];
  always_comb begin
    zeros_a = 4'd11;
    zeros_b = 4'd11;
    for (int unsigned i = 0; i < 11; i++) begin
      if (significand_a[i]) zeros_a = 4'(10 - i);
      if (significand_b[i]) zeros_b = 4'(10 - i);
    end
  end
  assign a_special   = a_i[14:10] == '1;
  assign b_special   = b_i[14:10] == '1;
  assign is_infinite = a_special | b_special;
  assign is_nan      = (a_special & (a_i[9:0] != '0 || significand_b == '0))
      | (b_special & (b_i[9:0] != '0 || significand_a == '0));

  // `scale` is the exponent field, in binary16, of a product whose leading one is bit 21. The bias is
  // 15, and bit 20 stands for 1.
  logic [21:0]       product, product_q;
  logic signed [7:0] scale, scale_q;
  logic [4:0]        zeros, zeros_q;
  logic              sign_q, is_infinite_q, is_nan_q;

  assign product = 22'(significand_a) * 22'(significand_b);
  assign scale   = $signed({3'd0, exponent_a}) + $signed({3'd0, exponent_b}) + exponent_i - 8'sd14;
  assign zeros   = 5'(zeros_a) + 5'(zeros_b);
  delay #(
    .WIDTH  (38),
    .LATENCY(PRODUCT_LATENCY)
  ) i_product (
    .clk_i,
    .data_i({product, scale, zeros, a_i[15] ^ b_i[15], is_infinite, is_nan}),
    .data_o({product_q, scale_q, zeros_q, sign_q, is_infinite_q, is_nan_q})
  );

  // ---- Normalization and rounding ----

  logic [WIDTH-1:0] result;

  if (EXACT) begin : gen_exact
    logic [21:0] shifted;
    logic [20:0] fraction;
    logic [7:0]  exponent;
    assign shifted  = product_q << zeros_q;
    assign fraction = shifted[21] ? shifted[20:0] : {shifted[19:0], 1'b0};
    // Difference of the two biases: 112.
    assign exponent = 8'd112 + $unsigned(scale_q) - 8'(zeros_q) - 8'(!shifted[21]);
    always_comb begin
      if (is_nan_q) result = 32'h7fc00000;
      else if (is_infinite_q) result = {sign_q, 31'h7f800000};
      else if (product_q == '0) result = {sign_q, 31'd0};
      else result = {sign_q, exponent, fraction, 2'b00};
    end
  end else begin : gen_rounded
    // The product comes down from the top of `window`, so far that its leading one is bit 21 or, as
    // `zeros` may be one short, bit 20; and no less far than the smallest normal asks, for a subnormal.
    // What falls out below, and 44 is everything, is the sticky bit.
    logic [5:0]        down;
    logic [42:0]       window;
    logic [21:0]       normal;
    logic signed [7:0] exponent;
    logic              is_limited, one_more, lost, round_up;
    assign is_limited = scale_q <= $signed({3'd0, zeros_q}) + 8'sd1;
    always_comb begin
      if (!is_limited) down = 6'd21 - 6'(zeros_q);
      else if (scale_q < -8'sd22) down = 6'd44;
      else down = 6'd22 - $unsigned(scale_q[5:0]);
      window = {product_q, 21'd0};
      lost   = 1'b0;
      for (int i = 5; i >= 0; i--) begin
        if (down[i]) begin
          lost   = lost | ((window & ((43'd1 << (1 << i)) - 43'd1)) != '0);
          window = window >> (1 << i);
        end
      end
    end
    assign one_more = ~is_limited & ~window[21];
    assign normal   = one_more ? {window[20:0], 1'b0} : window[21:0];
    assign exponent = is_limited ? 8'sd1 : scale_q - $signed({3'd0, zeros_q}) - $signed({7'd0, one_more});

    // With bit 21 clear the result is a subnormal or zero.
    assign round_up = normal[10] & (normal[11] | (normal[9:0] != '0) | lost);
    always_comb begin
      if (is_nan_q) result = 16'h7e00;
      else if (is_infinite_q || (normal[21] && exponent >= 8'sd31)) result = {sign_q, 15'h7c00};
      // A carry out of the fraction raises the exponent, up to infinity.
      else result = {sign_q, {normal[21] ? exponent[4:0] : 5'd0, normal[20:11]} + 15'(round_up)};
    end
  end

  delay #(
    .WIDTH  (WIDTH),
    .LATENCY(LATENCY - PRODUCT_LATENCY)
  ) i_delay (
    .clk_i,
    .data_i(result),
    .data_o(product_o)
  );

endmodule
