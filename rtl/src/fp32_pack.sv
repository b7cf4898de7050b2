// A significand of WIDTH bits to binary32, round to nearest even: subnormals, overflow to infinity.
//
// The biased exponent is that of the top bit; leading zeros are shifted out. Bits below it that were lost
// are in bit 0 as a sticky bit. Combinational.
module fp32_pack #(
  parameter int unsigned WIDTH = 48
) (
  input  logic               sign_i,
  input  logic signed [10:0] exponent_i,
  input  logic [WIDTH-1:0]   significand_i,
  output logic [31:0]        data_o
);
  localparam int unsigned SHIFT = $clog2(WIDTH + 1);

  logic [SHIFT-1:0]   zeros;
  logic [WIDTH-1:0]   normal, shifted;
  logic signed [10:0] exponent, right;
  logic               lost, round_up;
  logic [7:0]         field;

  always_comb begin
    zeros = SHIFT'(WIDTH);
    for (int unsigned i = 0; i < WIDTH; i++) begin
      if (significand_i[i]) zeros = SHIFT'(WIDTH - 1 - i);
    end
  end
  assign normal   = significand_i << zeros;
  assign exponent = exponent_i - 11'(zeros);
  // A subnormal has the exponent 1 without the hidden bit.
  assign right    = exponent < 11'sd1 ? 11'sd1 - exponent : '0;
  assign shifted  = right >= 11'(WIDTH) ? '0 : normal >> right;
  assign lost     = right >= 11'(WIDTH) ? normal != '0 : (normal & ~({WIDTH{1'b1}} << right)) != '0;
  assign field    = exponent < 11'sd1 ? '0 : exponent[7:0];
  assign round_up = shifted[WIDTH-25] & (shifted[WIDTH-24] | (shifted[WIDTH-26:0] != '0) | lost);
  always_comb begin
    if (significand_i == '0) data_o = {sign_i, 31'd0};
    else if (exponent >= 11'sd255) data_o = {sign_i, 31'h7f800000};
    else data_o = {sign_i, {field, shifted[WIDTH-2-:23]} + 31'(round_up)};
  end

  logic unused;
  assign unused = ^{shifted[WIDTH-1], exponent};

endmodule
