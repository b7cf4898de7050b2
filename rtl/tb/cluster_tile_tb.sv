// `cluster_tile` on random inputs. Every cycle is printed: inputs and outputs, hexadecimal, lane 0 last.
module cluster_tile_tb #(
  parameter int unsigned LANES_X     = 8,
  parameter int unsigned LANES_Y     = 4,
  parameter int unsigned TREES       = 2,
  parameter int unsigned WIDTH       = 16,
  parameter int unsigned ADD_LATENCY = 1
) (
  input logic clk_i
);
  localparam int unsigned LANES = LANES_X * LANES_Y;

  logic                          load_a, load_b, columns;
  logic [LANES-1:0]              enable;
  logic [LANES-1:0][15:0]        a, b;
  logic [LANES_Y-1:0][WIDTH-1:0] row_sums;
  logic [LANES_X-1:0][WIDTH-1:0] column_sums;
  cluster_tile #(
    .LANES_X    (LANES_X),
    .LANES_Y    (LANES_Y),
    .TREES      (TREES),
    .WIDTH      (WIDTH),
    .ADD_LATENCY(ADD_LATENCY)
  ) i_tile (
    .clk_i,
    .load_a_i (load_a),
    .load_b_i (load_b),
    .columns_i(columns),
    .enable_i (enable),
    .a_i      (a),
    .b_i      (b),
    .rows_o   (row_sums),
    .columns_o(column_sums)
  );

  int unsigned cycle;
  always_ff @(negedge clk_i) begin
    cycle   <= cycle + 1;
    load_a  <= cycle < 4 || $urandom % 4 != 0;
    load_b  <= cycle < 4 || $urandom % 4 != 0;
    columns <= 1'($urandom);
    for (int unsigned i = 0; i < LANES; i++) begin
      enable[i] <= $urandom % 8 != 0;
      a[i]      <= random_pkg::operand(20'($urandom));
      b[i]      <= random_pkg::operand(20'($urandom));
    end
  end
  always_ff @(posedge clk_i) begin
    $display("%h %h %h %h %h %h %h %h", load_a, load_b, columns, enable, a, b, row_sums, column_sums);
  end

endmodule
