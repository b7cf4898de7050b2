// IEEE 754 addition, binary16 or binary32 by WIDTH: round to nearest even, subnormals, overflow to
// infinity; every NaN result is the quiet NaN 0x7e00 or 0x7fc00000.
//
// A combinational core with LATENCY registers behind it; synthesis moves them into the core.
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
  localparam logic [EXPONENT-1:0] EXPONENT_MAX = '1;
  localparam logic [EXPONENT-1:0] EXPONENT_ONE = 1;

  if (WIDTH != 16 && WIDTH != 32) begin : gen_width_check
    $error("fp_add: WIDTH must be 16 or 32");
  end

  logic [WIDTH-1:0]    major, minor, sum;
  logic                subtract;
  logic [EXPONENT-1:0] exponent_major, exponent_minor, exponent_difference, room;
  logic [EXTENDED-1:0] major_extended, minor_extended, minor_aligned, normal;
  logic [EXTENDED:0]   total;
  logic [SHIFT-1:0]    zeros, shift;
  logic [EXPONENT-1:0] exponent;
  logic                round_up, is_nan, is_infinite;

  // By magnitude, so that the difference is not negative.
  assign {major, minor} = b_i[WIDTH-2:0] > a_i[WIDTH-2:0] ? {b_i, a_i} : {a_i, b_i};
  assign subtract = major[WIDTH-1] ^ minor[WIDTH-1];

  // The exponent of a subnormal is that of the smallest normal.
  assign exponent_major = major[WIDTH-2:FRACTION] == '0 ? EXPONENT_ONE : major[WIDTH-2:FRACTION];
  assign exponent_minor = minor[WIDTH-2:FRACTION] == '0 ? EXPONENT_ONE : minor[WIDTH-2:FRACTION];
  assign exponent_difference = exponent_major - exponent_minor;
  assign major_extended = {major[WIDTH-2:FRACTION] != '0, major[FRACTION-1:0], 3'b000};
  assign minor_extended = {minor[WIDTH-2:FRACTION] != '0, minor[FRACTION-1:0], 3'b000};
  // What is shifted out stays as the sticky bit.
  assign minor_aligned = (minor_extended >> exponent_difference)
      | EXTENDED'((minor_extended & ~({EXTENDED{1'b1}} << exponent_difference)) != '0);
  assign total = subtract ? {1'b0, major_extended} - {1'b0, minor_aligned}
                          : {1'b0, major_extended} + {1'b0, minor_aligned};

  // To the left no further than the exponent allows: the rest is a subnormal.
  always_comb begin
    zeros = SHIFT'(EXTENDED);
    for (int unsigned i = 0; i < EXTENDED; i++) begin
      if (total[i]) zeros = SHIFT'(EXTENDED - 1 - i);
    end
  end
  assign room  = exponent_major - EXPONENT_ONE;
  assign shift = 32'(zeros) < 32'(room) ? zeros : SHIFT'(room);
  always_comb begin
    if (total[EXTENDED]) begin
      normal   = {total[EXTENDED:2], total[1] | total[0]};
      exponent = exponent_major + EXPONENT_ONE;
    end else begin
      normal   = total[EXTENDED-1:0] << shift;
      exponent = normal[EXTENDED-1] ? exponent_major - EXPONENT'(shift) : '0;
    end
  end

  assign round_up    = normal[2] & (normal[1] | normal[0] | normal[3]);
  assign is_nan      = (major[WIDTH-2:FRACTION] == EXPONENT_MAX)
      & ((major[FRACTION-1:0] != '0) | ((minor[WIDTH-2:FRACTION] == EXPONENT_MAX) & subtract));
  assign is_infinite = major[WIDTH-2:FRACTION] == EXPONENT_MAX;

  always_comb begin
    if (is_nan) begin
      sum = {1'b0, EXPONENT_MAX, 1'b1, {(FRACTION - 1) {1'b0}}};
    end else if (is_infinite || exponent == EXPONENT_MAX) begin
      sum = {major[WIDTH-1], EXPONENT_MAX, {FRACTION{1'b0}}};
    end else if (total == '0) begin
      sum = {major[WIDTH-1] & minor[WIDTH-1], {(WIDTH - 1) {1'b0}}};
    end else begin
      // A carry out of the fraction raises the exponent, up to infinity.
      sum = {major[WIDTH-1], {exponent, normal[EXTENDED-2:3]} + (WIDTH - 1)'(round_up)};
    end
  end

  delay #(
    .WIDTH  (WIDTH),
    .LATENCY(LATENCY)
  ) i_delay (
    .clk_i,
    .data_i(sum),
    .data_o(sum_o)
  );

endmodule
