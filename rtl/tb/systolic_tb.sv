// Both systolic arrays on random inputs. Every cycle is printed: inputs and outputs, hexadecimal, element 0 last.
//
// Weights go into the first array in the first ROWS cycles, and are taken in the next one where they are double buffered.
module systolic_tb #(
  parameter int unsigned ROWS            = 4,
  parameter int unsigned COLUMNS         = 3,
  parameter int unsigned WIDTH           = 16,
  parameter int unsigned ADD_LATENCY     = 1,
  parameter int unsigned DOUBLE_BUFFERED = 0
) (
  input logic clk_i
);

  logic                          load, take, first, drain, shift;
  logic [COLUMNS-1:0][15:0]      weights, b, drained;
  logic [ROWS-1:0][15:0]         activations, passed;
  logic [COLUMNS-1:0][WIDTH-1:0] sums, results;
  systolic_weight_stationary #(
    .ROWS           (ROWS),
    .COLUMNS        (COLUMNS),
    .WIDTH          (WIDTH),
    .ADD_LATENCY    (ADD_LATENCY),
    .DOUBLE_BUFFERED(DOUBLE_BUFFERED)
  ) i_weight (
    .clk_i,
    .load_i       (load),
    .take_i       (take),
    .weights_i    (weights),
    .valid_i      (1'b1),
    .activations_i(activations),
    .sums_i       (sums),
    .activations_o(passed),
    .sums_o       (results)
  );
  systolic_output_stationary #(
    .ROWS   (ROWS),
    .COLUMNS(COLUMNS)
  ) i_output (
    .clk_i,
    .valid_i(1'b1),
    .first_i(first),
    .drain_i(drain),
    .shift_i(shift),
    .a_i    (activations),
    .b_i    (b),
    .sums_o (drained)
  );

  // A sum is drained in the cycle in which the next one starts, and shifted out while that one grows.
  int unsigned cycle;
  assign first = cycle % (2 * ROWS + 1) == 0;
  assign drain = first;
  assign shift = ~drain;
  assign load  = cycle < ROWS;
  assign take  = cycle == ROWS;
  always_ff @(negedge clk_i) begin
    cycle <= cycle + 1;
    for (int unsigned c = 0; c < COLUMNS; c++) begin
      weights[c] <= random_pkg::operand(20'($urandom));
      b[c]       <= random_pkg::operand(20'($urandom));
      sums[c]    <= WIDTH == 16 ? WIDTH'(random_pkg::operand(20'($urandom))) : WIDTH'({random_pkg::operand(20'($urandom)), 16'($urandom)});
    end
    for (int unsigned r = 0; r < ROWS; r++) activations[r] <= random_pkg::operand(20'($urandom));
  end
  always_ff @(posedge clk_i) begin
    $display("%h %h %h %h %h %h %h %h", weights, activations, sums, b, drain, passed, results, drained);
  end

endmodule
