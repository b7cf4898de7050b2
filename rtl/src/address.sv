// Address of an operand that moves through the buffer row by row or segment by segment.
module address #(
  parameter int unsigned LANES_X = 4,
  parameter int unsigned LANES_Y = 4
) (
  input  logic                 clk_i,
  input  logic                 load_i,     // starts at `row_i`
  input  cluster_pkg::count_t  row_i,
  input  logic                 restart_i,  // goes back to the loaded row
  input  logic                 advance_i,
  input  cluster_pkg::stride_e stride_i,
  output cluster_pkg::count_t  row_o,
  output cluster_pkg::count_t  offset_o
);
  import cluster_pkg::*;

  count_t first_q, row_q, offset_q, step;
  logic   is_last_segment;

  always_comb begin
    unique case (stride_i)
      STRIDE_LANES_X: step = count_t'(LANES_X);
      STRIDE_LANES_Y: step = count_t'(LANES_Y);
      default:        step = count_t'(LANES_X * LANES_Y);
    endcase
  end
  assign is_last_segment = offset_q == count_t'(LANES_X * LANES_Y) - step;

  always_ff @(posedge clk_i) begin
    if (load_i) begin
      first_q  <= row_i;
      row_q    <= row_i;
      offset_q <= '0;
    end else if (restart_i) begin
      row_q    <= first_q;
      offset_q <= '0;
    end else if (advance_i) begin
      row_q    <= is_last_segment ? row_q + count_t'(1) : row_q;
      offset_q <= is_last_segment ? '0 : offset_q + step;
    end
  end

  assign row_o    = row_q;
  assign offset_o = offset_q;

endmodule
