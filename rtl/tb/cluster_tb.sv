// One cluster with plain ports, for cluster_tb.cpp.
module cluster_tb #(
  parameter  int unsigned MODE                 = 1,
  parameter  int unsigned LANES_X              = 4,
  parameter  int unsigned LANES_Y              = 4,
  parameter  int unsigned BUFFER_ROWS          = 64,
  parameter  int unsigned READ_ELEMENTS        = 16,
  parameter  int unsigned BEAT_ELEMENTS        = 16,
  parameter  int unsigned LEVELS               = 6,
  parameter  int unsigned DECODE_LATENCY       = 1,
  parameter  int unsigned BUFFER_READ_LATENCY  = 1,
  parameter  int unsigned BUFFER_WRITE_LATENCY = 1,
  parameter  int unsigned BANK_READ_LATENCY    = 3,
  parameter  int unsigned MULTIPLY_LATENCY     = 2,
  parameter  int unsigned ADD_LATENCY          = 2,
  localparam int unsigned LANES                = LANES_X * LANES_Y
) (
  input  logic              clk_i,
  /* verilator lint_off SYNCASYNCNET */  // only assertions sample the reset
  input  logic              rst_ni,
  /* verilator lint_on SYNCASYNCNET */
  input  logic              op_valid_i,
  output logic              op_ready_o,
  input  logic [7:0]        kind_i,
  input  logic [15:0]       id_i,
  input  logic [16:0]       groups_i,
  input  logic [16:0]       passes_i,
  input  logic [16:0]       row_a_i,
  input  logic [16:0]       row_b_i,
  input  logic [16:0]       row_z_i,
  input  logic [31:0]       elements_i,
  input  logic [31:0]       elements_last_i,
  input  logic              scalar_i,
  input  logic signed [7:0] exponent_i,
  output logic [1:0]        release_valid_o,
  output logic [1:0][15:0]  release_id_o,
  output logic [1:0]        done_valid_o,
  output logic [1:0][15:0]  done_id_o,
  input  logic              fill_valid_i,
  input  logic [16:0]       fill_row_i,
  input  logic [LANES-1:0][15:0] fill_data_i,
  output logic              beat_request_o,
  input  logic [BEAT_ELEMENTS-1:0][15:0] beat_i,
  output logic              partial_valid_o,
  output logic [15:0]       partial_id_o,
  output logic [31:0]       partial_o
);
  import cluster_pkg::*;

  localparam mode_e CLUSTER_MODE = mode_e'(MODE);

  op_t                                  op;
  logic [word_width(CLUSTER_MODE)-1:0]  partial;
  always_comb begin
    op               = '0;
    op.kind          = kind_e'(kind_i);
    op.id            = id_i;
    op.groups        = groups_i;
    op.passes        = passes_i;
    op.row_a         = row_a_i;
    op.row_b         = row_b_i;
    op.row_z         = row_z_i;
    op.elements      = elements_i;
    op.elements_last = elements_last_i;
    op.scalar        = scalar_i;
    op.exponent      = exponent_i;
  end
  assign partial_o = 32'(partial);

  cluster #(
    .MODE                (CLUSTER_MODE),
    .LANES_X             (LANES_X),
    .LANES_Y             (LANES_Y),
    .BUFFER_ROWS         (BUFFER_ROWS),
    .READ_ELEMENTS       (READ_ELEMENTS),
    .BEAT_ELEMENTS       (BEAT_ELEMENTS),
    .LEVELS              (LEVELS),
    .DECODE_LATENCY      (DECODE_LATENCY),
    .BUFFER_READ_LATENCY (BUFFER_READ_LATENCY),
    .BUFFER_WRITE_LATENCY(BUFFER_WRITE_LATENCY),
    .BANK_READ_LATENCY   (BANK_READ_LATENCY),
    .MULTIPLY_LATENCY    (MULTIPLY_LATENCY),
    .ADD_LATENCY         (ADD_LATENCY)
  ) i_cluster (
    .clk_i,
    .rst_ni,
    .op_valid_i,
    .op_ready_o,
    .op_i         (op),
    .release_valid_o,
    .release_id_o,
    .done_valid_o,
    .done_id_o,
    .fill_valid_i,
    .fill_row_i,
    .fill_enable_i('1),
    .fill_data_i,
    .beat_request_o,
    .beat_i,
    .partial_valid_o,
    .partial_id_o,
    .partial_o    (partial)
  );

  // What a read of the buffer would see that is presented in this cycle.
  export "DPI-C" function peek;
  function int unsigned peek(int unsigned row, int unsigned element);
    return 32'(i_cluster.i_buffer.memory_q[row][element]);
  endfunction

endmodule
