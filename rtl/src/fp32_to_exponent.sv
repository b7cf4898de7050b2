// The power of two that a register stands for: truncated to an integer and clamped to -40 .. 40; NaN is 0.
// Combinational.
module fp32_to_exponent (
  input  logic [31:0]       data_i,
  output logic signed [7:0] exponent_o
);
  localparam logic [7:0] LIMIT = 8'd40;

  logic [7:0]  shift;
  logic [23:0] integer_part;
  logic [7:0]  magnitude;
  // The significand is an integer of units 2^-23 at the exponent 127.
  assign shift        = 8'd150 - data_i[30:23];
  assign integer_part = {data_i[30:23] != '0, data_i[22:0]} >> shift;
  always_comb begin
    if (data_i[30:23] < 8'd127) magnitude = '0;
    else if (data_i[30:23] > 8'd132 || integer_part > 24'(LIMIT)) magnitude = LIMIT;
    else magnitude = integer_part[7:0];
    if (data_i[30:0] > 31'h7f800000) magnitude = '0;
    exponent_o = data_i[31] ? -$signed(magnitude) : $signed(magnitude);
  end
endmodule
