// Puts the parts of an operand together: part p carries elements p PART .. (p + 1) PART.
//
// The operand is complete in the cycle of its last part, and only in that cycle.
module collector #(
  parameter  int unsigned ELEMENTS = 4,
  parameter  int unsigned PART     = 4,
  localparam int unsigned PARTS    = (ELEMENTS + PART - 1) / PART
) (
  input  logic                      clk_i,
  input  logic                      valid_i,
  input  logic [31:0]               part_i,
  input  logic [PART-1:0][15:0]     data_i,
  output logic [ELEMENTS-1:0][15:0] operand_o
);

  if (PARTS == 1) begin : gen_wire
    logic unused;
    assign unused = ^{clk_i, valid_i, part_i, data_i};
    assign operand_o = data_i[ELEMENTS-1:0];
  end else begin : gen_parts
    logic [PARTS-1:0][PART-1:0][15:0] parts, parts_q;
    for (genvar i = 0; i < PARTS; i++) begin : gen_part
      assign parts[i] = part_i == i ? data_i : parts_q[i];
      always_ff @(posedge clk_i) if (valid_i) parts_q[i] <= parts[i];
    end
    logic unused;
    assign unused = ^parts;
    for (genvar i = 0; i < ELEMENTS; i++) begin : gen_element
      assign operand_o[i] = parts[i/PART][i%PART];
    end
  end

endmodule
