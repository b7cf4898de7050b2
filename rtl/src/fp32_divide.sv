// IEEE 754 binary32 division and square root, two result bits per cycle: round to nearest even, subnormals.
//
// The operands are taken with `start_i`; the result is there CYCLES - 1 cycles later and stays.
module fp32_divide #(
  parameter int unsigned CYCLES  = 15,
  parameter bit          IS_ROOT = 1'b0
) (
  input  logic        clk_i,
  input  logic        start_i,
  input  logic [31:0] a_i,
  input  logic [31:0] b_i,
  output logic [31:0] result_o
);
  // Quotient or root bits: 24 and a guard; the remainder makes the sticky bit.
  localparam int unsigned BITS  = 26;
  localparam int unsigned STEPS = BITS / 2;

  if (CYCLES < STEPS + 1) begin : gen_latency_check
    $error("fp32_divide: two bits a cycle take at least 14 cycles");
  end

  // ---- Operands, with significands normalized ----

  function automatic logic [4:0] leading_zeros(logic [23:0] significand);
    leading_zeros = 5'd24;
    for (int unsigned i = 0; i < 24; i++) begin
      if (significand[i]) leading_zeros = 5'(23 - i);
    end
  endfunction

  logic [31:0] a_q, b_q;
  always_ff @(posedge clk_i) if (start_i) {a_q, b_q} <= {a_i, b_i};

  logic [23:0]        raw_a, raw_b, significand_a, significand_b;
  logic [4:0]         zeros_a, zeros_b;
  logic signed [10:0] exponent_a, exponent_b, exponent;
  assign raw_a = {a_i[30:23] != '0, a_i[22:0]};
  assign raw_b = {b_i[30:23] != '0, b_i[22:0]};
  assign zeros_a = leading_zeros(raw_a);
  assign zeros_b = leading_zeros(raw_b);
  assign significand_a = raw_a << zeros_a;
  assign significand_b = raw_b << zeros_b;
  assign exponent_a = $signed({3'd0, a_i[30:23] == '0 ? 8'd1 : a_i[30:23]}) - $signed({6'd0, zeros_a});
  assign exponent_b = $signed({3'd0, b_i[30:23] == '0 ? 8'd1 : b_i[30:23]}) - $signed({6'd0, zeros_b});

  // ---- Digit recurrence ----

  logic [4:0]         step_q;
  logic signed [10:0] exponent_q;
  logic [BITS-1:0]    result_q;

  if (!IS_ROOT) begin : gen_divide
    // remainder < divisor before every bit; the first bit has weight 1 where a >= b.
    logic [24:0] remainder_q, divisor_q;
    logic        upper, lower;
    logic [25:0] first, second;
    logic [24:0] after_first, after_second;
    assign first        = {remainder_q, 1'b0};
    assign upper      = first >= {1'b0, divisor_q};
    assign after_first  = upper ? 25'(first - {1'b0, divisor_q}) : first[24:0];
    assign second       = {after_first, 1'b0};
    assign lower      = second >= {1'b0, divisor_q};
    assign after_second = lower ? 25'(second - {1'b0, divisor_q}) : second[24:0];
    assign exponent     = exponent_a - exponent_b + 11'sd127;
    always_ff @(posedge clk_i) begin
      if (start_i) begin
        // a / (2 b) < 1, so that the quotient of 2^-1 .. 2 starts with the bit of weight 1.
        remainder_q <= {1'b0, significand_a};
        divisor_q   <= {significand_b, 1'b0};
        result_q    <= '0;
        exponent_q  <= exponent;
        step_q      <= 5'(STEPS);
      end else if (step_q != '0) begin
        remainder_q <= after_second;
        result_q    <= {result_q[BITS-3:0], upper, lower};
        step_q      <= step_q - 5'd1;
      end
    end
    logic unused_second;
    assign unused_second = ^{first[25], second[25]};
    logic [BITS:0] significand;
    assign significand = {result_q, remainder_q != '0};
  end else begin : gen_root
    // Root bits q, remainder r = a - q^2 in the units of the bits so far.
    logic [BITS+3:0]   remainder_q;
    logic [2*BITS-1:0] operand_q;
    logic              upper, lower;
    logic [BITS+3:0]   first, second, after_first, after_second, trial_first, trial_second;
    logic [BITS-1:0]   root_first;
    assign first        = {remainder_q[BITS+1:0], operand_q[2*BITS-1-:2]};
    assign trial_first  = {2'b00, result_q, 2'b01};
    assign upper      = first >= trial_first;
    assign after_first  = upper ? first - trial_first : first;
    assign root_first   = {result_q[BITS-2:0], upper};
    assign second       = {after_first[BITS+1:0], operand_q[2*BITS-3-:2]};
    assign trial_second = {2'b00, root_first, 2'b01};
    assign lower      = second >= trial_second;
    assign after_second = lower ? second - trial_second : second;
    // a = m 2^e with even e, m in [1, 4): the root starts with the bit of weight 1.
    logic signed [10:0] unbiased;
    logic [24:0]        radicand;
    assign unbiased = exponent_a - 11'sd127;
    assign radicand = unbiased[0] ? {significand_a, 1'b0} : {1'b0, significand_a};
    assign exponent = (unbiased >>> 1) + 11'sd127;
    always_ff @(posedge clk_i) begin
      if (start_i) begin
        remainder_q <= '0;
        operand_q   <= {radicand, {(2 * BITS - 25) {1'b0}}};
        result_q    <= '0;
        exponent_q  <= exponent;
        step_q      <= 5'(STEPS);
      end else if (step_q != '0) begin
        remainder_q <= after_second;
        operand_q   <= operand_q << 4;
        result_q    <= {result_q[BITS-3:0], upper, lower};
        step_q      <= step_q - 5'd1;
      end
    end
    logic [BITS:0] significand;
    assign significand = {result_q, remainder_q != '0};
    logic unused;
    assign unused = ^{exponent_b, significand_b, after_first[BITS+3:BITS+2]};
  end

  // ---- Result ----

  logic [BITS:0] significand;
  if (!IS_ROOT) begin : gen_quotient
    assign significand = gen_divide.significand;
  end else begin : gen_square_root
    assign significand = gen_root.significand;
  end
  logic        sign, a_nan, b_nan, a_infinite, b_infinite, a_zero, b_zero;
  logic [31:0] packed_result;
  assign a_infinite = a_q[30:0] == 31'h7f800000;
  assign b_infinite = b_q[30:0] == 31'h7f800000;
  assign a_nan      = a_q[30:0] > 31'h7f800000;
  assign b_nan      = b_q[30:0] > 31'h7f800000;
  assign a_zero     = a_q[30:0] == '0;
  assign b_zero     = b_q[30:0] == '0;
  assign sign       = IS_ROOT ? 1'b0 : a_q[31] ^ b_q[31];
  fp32_pack #(
    .WIDTH(BITS + 1)
  ) i_pack (
    .sign_i       (sign),
    .exponent_i   (exponent_q),
    .significand_i(significand),
    .data_o       (packed_result)
  );
  always_comb begin
    result_o = packed_result;
    if (IS_ROOT) begin
      if (a_zero) result_o = a_q;
      else if (a_nan || a_q[31]) result_o = 32'h7fc00000;
      else if (a_infinite) result_o = a_q;
    end else begin
      if (a_nan || b_nan || (a_zero && b_zero) || (a_infinite && b_infinite)) result_o = 32'h7fc00000;
      else if (a_infinite || b_zero) result_o = {sign, 31'h7f800000};
      else if (b_infinite || a_zero) result_o = {sign, 31'd0};
    end
  end

endmodule
