// A memory bank: rows of one beat each, one read and one write. A read asked for in cycle c gives its
// beat in cycle c + READ_LATENCY; it sees the writes presented in cycle c - WRITE_LATENCY and before. After a
// reset the memory clears itself, a row per cycle.
module bank_memory #(
  parameter int unsigned ROWS          = 16,
  parameter int unsigned ELEMENTS      = 16,
  parameter int unsigned READ_LATENCY  = 1,
  parameter int unsigned WRITE_LATENCY = 1
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic [31:0]               read_row_i,
  output logic [ELEMENTS-1:0][15:0] read_data_o,
  input  logic                      write_valid_i,
  input  logic [31:0]               write_row_i,
  input  logic [ELEMENTS-1:0]       write_enable_i,
  input  logic [ELEMENTS-1:0][15:0] write_data_i
);
  localparam int unsigned ROW_WIDTH = ROWS > 1 ? $clog2(ROWS) : 1;

  if (READ_LATENCY == 0 || WRITE_LATENCY == 0) begin : gen_latency_check
    $error("bank_memory: reads and writes take at least one cycle");
  end

  logic                      valid;
  logic [31:0]               row;
  logic [ELEMENTS-1:0]       enable;
  logic [ELEMENTS-1:0][15:0] data;
  delay_line #(
    .WIDTH  (32 + 17 * ELEMENTS),
    .LATENCY(WRITE_LATENCY - 1)
  ) i_write (
    .clk_i,
    .rst_ni,
    .valid_i(write_valid_i),
    .data_i ({write_row_i, write_enable_i, write_data_i}),
    .valid_o(valid),
    .data_o ({row, enable, data})
  );

  logic                 clears;
  logic [ROW_WIDTH-1:0] cleared_row;
  row_clearer #(
    .ROWS(ROWS)
  ) i_clearer (
    .clk_i,
    .rst_ni,
    .valid_o(clears),
    .row_o  (cleared_row)
  );

  logic [ELEMENTS-1:0][15:0] memory_q[ROWS];
  always_ff @(posedge clk_i) begin
    if (clears) memory_q[cleared_row] <= '0;
    for (int unsigned i = 0; i < ELEMENTS; i++) begin
      if (valid && enable[i]) memory_q[row[ROW_WIDTH-1:0]][i] <= data[i];
    end
  end
  delay #(
    .WIDTH  (16 * ELEMENTS),
    .LATENCY(READ_LATENCY)
  ) i_read (
    .clk_i,
    .data_i(memory_q[read_row_i[ROW_WIDTH-1:0]]),
    .data_o(read_data_o)
  );

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) !write_valid_i || write_row_i < ROWS)
  else $error("bank_memory: write to row %0d of %0d", write_row_i, ROWS);
`endif

  logic unused;
  assign unused = ^{read_row_i, row};

endmodule
