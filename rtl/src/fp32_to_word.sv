// A binary32 pattern as a word of accumulate precision. Combinational. In m16a16 the value lies on the
// grid of binary16, so nothing is lost.
module fp32_to_word (
  input  logic [31:0]                  data_i,
  output logic [machine_pkg::WORD-1:0] data_o
);
  if (machine_pkg::WORD == 32) begin : gen_wire
    assign data_o = data_i;
  end else begin : gen_round
    fp_round i_round (
      .data_i,
      .data_o
    );
  end
endmodule
