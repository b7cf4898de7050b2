// binary32 to binary16: round to nearest even, subnormals, overflow to infinity, NaN to 0x7e00.
// Combinational.
module fp_round (
  input  logic [31:0] data_i /* verilator public_flat_rd */,
  output logic [15:0] data_o
);
  /* verilator no_inline_module */  // with its inputs public: one copy of the code for all instances

  // Difference of the two biases.
  localparam logic signed [9:0] REBIAS = 10'sd112;

  logic signed [9:0] exponent;
  logic [9:0]        shift;
  logic [4:0]        field;
  logic [23:0]       significand, shifted;
  logic              lost, round_up, sign;

  assign sign        = data_i[31];
  assign exponent    = $signed({2'b00, data_i[30:23]}) - REBIAS;
  assign significand = {data_i[30:23] != '0, data_i[22:0]};
  assign shift       = exponent < 10'sd1 ? $unsigned(10'sd1 - exponent) : '0;
  assign field       = exponent < 10'sd1 ? '0 : exponent[4:0];
  assign shifted     = significand >> shift;
  assign lost        = (significand & ~({24{1'b1}} << shift)) != '0;
  assign round_up    = shifted[12] & (shifted[13] | (shifted[11:0] != '0) | lost);

  always_comb begin
    if (data_i[30:23] == '1 && data_i[22:0] != '0) data_o = 16'h7e00;
    else if (exponent >= 10'sd31) data_o = {sign, 15'h7c00};
    else data_o = {sign, {field, shifted[22:13]} + 15'(round_up)};
  end

  logic unused_hidden_bit;
  assign unused_hidden_bit = shifted[23];

endmodule
