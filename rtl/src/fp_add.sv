// IEEE 754 addition, binary16 or binary32 by WIDTH: round to nearest even, subnormals, overflow to
// infinity; every NaN result is the quiet NaN 0x7e00 or 0x7fc00000.
//
// The last of the LATENCY registers are behind the result; from 2 on one is behind the integer
// addition, from 3 on one behind the alignment.
module fp_add #(
  parameter int unsigned WIDTH   = 16,
  parameter int unsigned LATENCY = 1
) (
  input  logic             clk_i,
  input  logic [WIDTH-1:0] a_i /* verilator public_flat_rd */,
  input  logic [WIDTH-1:0] b_i /* verilator public_flat_rd */,
  output logic [WIDTH-1:0] sum_o
);
  /* verilator no_inline_module */  // with its inputs public: one copy of the code for all instances

  localparam int unsigned EXPONENT = WIDTH == 16 ? 5 : 8;
  localparam int unsigned FRACTION = WIDTH - EXPONENT - 1;
  // Significand with the hidden bit, guard, round and sticky.
  localparam int unsigned EXTENDED = FRACTION + 4;
  localparam int unsigned SHIFT    = $clog2(EXTENDED + 1);
  localparam logic [EXPONENT-1:0] EXPONENT_MAX = {EXPONENT{1'b1}};
  localparam logic [EXPONENT-1:0] EXPONENT_ONE = 1;

  localparam int unsigned TOTAL_LATENCY = LATENCY > 1 ? 1 : 0;
  localparam int unsigned ALIGN_LATENCY = LATENCY > 2 ? 1 : 0;

  if (WIDTH != 16 && WIDTH != 32) begin : gen_width_check
    $error("fp_add: WIDTH must be 16 or 32");
  end

  // ---- Alignment ----

  logic [WIDTH-1:0]    major, minor;
  logic [EXPONENT-1:0] exponent_major, exponent_minor, exponent_difference;
  logic [EXTENDED-1:0] minor_extended, minor_aligned;
  logic                subtract, is_nan, is_infinite;

  // By magnitude, so that the difference is not negative.
  assign {major, minor} = b_i[WIDTH-2:0] > a_i[WIDTH-2:0] ? {b_i, a_i} : {a_i, b_i};
  assign subtract = major[WIDTH-1] ^ minor[WIDTH-1];

  // The exponent of a subnormal is that of the smallest normal.
  assign exponent_major = major[WIDTH-2:FRACTION] == '0 ? EXPONENT_ONE : major[WIDTH-2:FRACTION];
  assign exponent_minor = minor[WIDTH-2:FRACTION] == '0 ? EXPONENT_ONE : minor[WIDTH-2:FRACTION];
  assign exponent_difference = exponent_major - exponent_minor;
  assign minor_extended = {minor[WIDTH-2:FRACTION] != '0, minor[FRACTION-1:0], 3'b000};
  // What is shifted out stays as the sticky bit.
  assign minor_aligned = (minor_extended >> exponent_difference)
      | EXTENDED'((minor_extended & ~({EXTENDED{1'b1}} << exponent_difference)) != '0);
  assign is_infinite = major[WIDTH-2:FRACTION] == EXPONENT_MAX;
  assign is_nan      = is_infinite
      & ((major[FRACTION-1:0] != '0) | ((minor[WIDTH-2:FRACTION] == EXPONENT_MAX) & subtract));

  // ---- Addition ----

  logic [FRACTION:0]   addend_major;
  logic [EXTENDED-1:0] addend_minor;
  logic [EXTENDED:0]   total;
  // Behind the alignment, behind the addition: sign, subtract, is_nan, is_infinite, exponent.
  logic [EXPONENT+3:0] align_flags, total_flags;
  delay #(
    .WIDTH  (EXPONENT + 4 + FRACTION + 1 + EXTENDED),
    .LATENCY(ALIGN_LATENCY)
  ) i_align (
    .clk_i,
    .data_i({major[WIDTH-1], subtract, is_nan, is_infinite, exponent_major,
             major[WIDTH-2:FRACTION] != '0, major[FRACTION-1:0], minor_aligned}),
    .data_o({align_flags, addend_major, addend_minor})
  );
  assign total = align_flags[EXPONENT+2] ? {1'b0, addend_major, 3'b000} - {1'b0, addend_minor}
                                         : {1'b0, addend_major, 3'b000} + {1'b0, addend_minor};

  // ---- Normalization and rounding ----

  logic [EXTENDED:0]   total_q;
  logic                sign_q, subtract_q, is_nan_q, is_infinite_q;
  logic [EXPONENT-1:0] exponent_q, exponent, room;
  logic [EXTENDED-1:0] normal;
  logic [SHIFT-1:0]    zeros, shift;
  logic [WIDTH-1:0]    sum;
  logic                round_up;
  delay #(
    .WIDTH  (EXPONENT + 4 + EXTENDED + 1),
    .LATENCY(TOTAL_LATENCY)
  ) i_total (
    .clk_i,
    .data_i({align_flags, total}),
    .data_o({total_flags, total_q})
  );
  assign {sign_q, subtract_q, is_nan_q, is_infinite_q, exponent_q} = total_flags;

  // To the left no further than the exponent allows: the rest is a subnormal.
  always_comb begin
    zeros = SHIFT'(EXTENDED);
    for (int unsigned i = 0; i < EXTENDED; i++) begin
      if (total_q[i]) zeros = SHIFT'(EXTENDED - 1 - i);
    end
  end
  assign room  = exponent_q - EXPONENT_ONE;
  assign shift = 32'(zeros) < 32'(room) ? zeros : SHIFT'(room);
  always_comb begin
    if (total_q[EXTENDED]) begin
      normal   = {total_q[EXTENDED:2], total_q[1] | total_q[0]};
      exponent = exponent_q + EXPONENT_ONE;
    end else begin
      normal   = total_q[EXTENDED-1:0] << shift;
      exponent = normal[EXTENDED-1] ? exponent_q - EXPONENT'(shift) : '0;
    end
  end

  assign round_up = normal[2] & (normal[1] | normal[0] | normal[3]);
  always_comb begin
    if (is_nan_q) begin
      sum = {1'b0, EXPONENT_MAX, 1'b1, {(FRACTION - 1) {1'b0}}};
    end else if (is_infinite_q || exponent == EXPONENT_MAX) begin
      sum = {sign_q, EXPONENT_MAX, {FRACTION{1'b0}}};
    end else if (total_q == '0) begin
      sum = {sign_q & ~subtract_q, {(WIDTH - 1) {1'b0}}};
    end else begin
      // A carry out of the fraction raises the exponent, up to infinity.
      sum = {sign_q, {exponent, normal[EXTENDED-2:3]} + (WIDTH - 1)'(round_up)};
    end
  end

  delay #(
    .WIDTH  (WIDTH),
    .LATENCY(LATENCY - TOTAL_LATENCY - ALIGN_LATENCY)
  ) i_delay (
    .clk_i,
    .data_i(sum),
    .data_o(sum_o)
  );

endmodule
