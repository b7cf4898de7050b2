// A word of accumulate precision as a binary32 pattern. Combinational.
module word_to_fp32 (
  input  logic [machine_pkg::WORD-1:0] data_i,
  output logic [31:0]                  data_o
);
  if (machine_pkg::WORD == 32) begin : gen_wire
    assign data_o = data_i;
  end else begin : gen_widen
    fp_widen i_widen (
      .data_i,
      .data_o
    );
  end
endmodule
