// The buffer of a cluster: ROWS rows of one fp16 element per lane, three read ports (the operands a
// and b, and z) and two write ports (`fill` from the column bus, `result` from behind the lanes).
//
// A read asked for in cycle c gives READ_ELEMENTS elements from `offset` on in cycle c + READ_LATENCY;
// elements beyond the row are 0. It sees the writes presented in cycle c - WRITE_LATENCY and before.
// The registers of a longer latency stand behind the array for reads, before it for writes.
module cluster_buffer #(
  parameter int unsigned ROWS          = 16,
  parameter int unsigned LANES         = 16,
  parameter int unsigned READ_ELEMENTS = 16,
  parameter int unsigned READ_LATENCY  = 1,
  parameter int unsigned WRITE_LATENCY = 1,
  localparam int unsigned READS  = 3,
  localparam int unsigned WRITES = 2
) (
  input  logic                                            clk_i,
  input  logic                                            rst_ni,
  input  cluster_pkg::count_t [READS-1:0]                 read_row_i,
  input  cluster_pkg::count_t [READS-1:0]                 read_offset_i,
  output logic                [READS-1:0][READ_ELEMENTS-1:0][15:0] read_data_o,
  input  logic                [WRITES-1:0]                write_valid_i,
  input  cluster_pkg::count_t [WRITES-1:0]                write_row_i,
  input  logic                [WRITES-1:0][LANES-1:0]     write_enable_i,
  input  logic                [WRITES-1:0][LANES-1:0][15:0] write_data_i
);

  localparam int unsigned ROW_WIDTH    = $clog2(ROWS) > 0 ? $clog2(ROWS) : 1;
  localparam int unsigned OFFSET_WIDTH = $clog2(LANES) > 0 ? $clog2(LANES) : 1;

  if (READ_LATENCY == 0 || WRITE_LATENCY == 0) begin : gen_latency_check
    $error("cluster_buffer: reads and writes take at least one cycle");
  end

  logic [LANES-1:0][15:0] memory_q[ROWS];

  for (genvar i = 0; i < READS; i++) begin : gen_read
    logic [LANES+READ_ELEMENTS-1:0][15:0] padded;
    logic [READ_ELEMENTS-1:0][15:0]       data;
    assign padded = (16 * (LANES + READ_ELEMENTS))'(memory_q[read_row_i[i][ROW_WIDTH-1:0]]);
    assign data   = padded[read_offset_i[i][OFFSET_WIDTH-1:0]+:READ_ELEMENTS];
    delay #(
      .WIDTH  (16 * READ_ELEMENTS),
      .LATENCY(READ_LATENCY)
    ) i_delay (
      .clk_i,
      .data_i(data),
      .data_o(read_data_o[i])
    );
  end

  logic                [WRITES-1:0]                  valid;
  cluster_pkg::count_t [WRITES-1:0]                  row;
  logic                [WRITES-1:0][LANES-1:0]       enable;
  logic                [WRITES-1:0][LANES-1:0][15:0] data;
  delay_valid #(
    .WIDTH  (WRITES),
    .LATENCY(WRITE_LATENCY - 1)
  ) i_write_valid (
    .clk_i,
    .rst_ni,
    .data_i(write_valid_i),
    .data_o(valid)
  );
  delay #(
    .WIDTH  ($bits({row, enable, data})),
    .LATENCY(WRITE_LATENCY - 1)
  ) i_write (
    .clk_i,
    .data_i({write_row_i, write_enable_i, write_data_i}),
    .data_o({row, enable, data})
  );
  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < WRITES; i++) begin
      for (int unsigned j = 0; j < LANES; j++) begin
        if (valid[i] && enable[i][j]) memory_q[row[i][ROW_WIDTH-1:0]][j] <= data[i][j];
      end
    end
  end

  for (genvar i = 0; i < WRITES; i++) begin : gen_write_check
    assert property (@(posedge clk_i) disable iff (!rst_ni) !write_valid_i[i] || 32'(write_row_i[i]) < ROWS)
    else $error("cluster_buffer: write to row %0d of %0d", write_row_i[i], ROWS);
  end
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      !(&write_valid_i && write_row_i[0] == write_row_i[1] && (write_enable_i[0] & write_enable_i[1]) != '0))
  else $error("cluster_buffer: both ports write row %0d", write_row_i[0]);

  logic unused;
  assign unused = ^{read_row_i, read_offset_i, row};

endmodule
