// The buffer of a cluster: one memory of fp16 elements per lane, three read ports (the operands a and b,
// and z) and two write ports (`fill` from the column bus, `result` from behind the lanes).
//
// Element e lies in lane e mod LANES. A port takes consecutive elements from any address on: at most one
// of each lane, turned into place by a rotator. A read asked for in cycle c gives READ elements in cycle
// c + READ_LATENCY; it sees the writes presented in cycle c - WRITE_LATENCY and before. After a reset the
// memory clears itself, a row per cycle.
module buffer_memory #(
  parameter  int unsigned ROWS          = 16,
  parameter  int unsigned LANES         = 16,
  parameter  int unsigned READ          = 16,
  parameter  int unsigned READ_LATENCY  = 1,
  parameter  int unsigned WRITE_LATENCY = 1,
  localparam int unsigned READS         = 3,
  localparam int unsigned WRITES        = 2
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  input  logic [READS-1:0][31:0]              read_address_i,
  output logic [READS-1:0][READ-1:0][15:0]    read_data_o,
  input  logic [WRITES-1:0]                   write_valid_i,
  input  logic [WRITES-1:0][31:0]             write_address_i,
  input  logic [WRITES-1:0][LANES-1:0]        write_enable_i,  // element i goes to address + i
  input  logic [WRITES-1:0][LANES-1:0][15:0]  write_data_i
);
  /* verilator no_inline_module */  // one copy of the code for all clusters
  localparam int unsigned ROW_WIDTH = ROWS > 1 ? $clog2(ROWS) : 1;

  if (READ_LATENCY == 0 || WRITE_LATENCY == 0) begin : gen_latency_check
    $error("buffer_memory: reads and writes take at least one cycle");
  end

  logic [WRITES-1:0]                  valid;
  logic [WRITES-1:0][31:0]            address;
  logic [WRITES-1:0][LANES-1:0]       enable;
  logic [WRITES-1:0][LANES-1:0][15:0] data;
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
    .WIDTH  (WRITES * (32 + LANES + 16 * LANES)),
    .LATENCY(WRITE_LATENCY - 1)
  ) i_write (
    .clk_i,
    .data_i({write_address_i, write_enable_i, write_data_i}),
    .data_o({address, enable, data})
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

  logic [READS-1:0][LANES-1:0][15:0] lane_data;
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    logic [15:0] memory_q[ROWS];
    for (genvar j = 0; j < READS; j++) begin : gen_read
      logic [31:0] row;
      // The first lanes have wrapped into the next row.
      assign row = read_address_i[j] / LANES + 32'(i < read_address_i[j] % LANES);
      assign lane_data[j][i] = memory_q[row[ROW_WIDTH-1:0]];
      logic unused;
      assign unused = ^row;
    end
    always_ff @(posedge clk_i) begin
      if (clears) memory_q[cleared_row] <= '0;
      for (int unsigned j = 0; j < WRITES; j++) begin
        if (valid[j] && enable[j][(i + LANES - address[j] % LANES) % LANES]) begin
          memory_q[ROW_WIDTH'(address[j] / LANES + 32'(i < address[j] % LANES))]
              <= data[j][(i + LANES - address[j] % LANES) % LANES];
        end
      end
    end
  end

  for (genvar j = 0; j < READS; j++) begin : gen_turn
    logic [READ-1:0][15:0] turned;
    for (genvar i = 0; i < READ; i++) begin : gen_element
      assign turned[i] = lane_data[j][(read_address_i[j]%LANES+i)%LANES];
    end
    delay #(
      .WIDTH  (16 * READ),
      .LATENCY(READ_LATENCY)
    ) i_delay (
      .clk_i,
      .data_i(turned),
      .data_o(read_data_o[j])
    );
  end

`ifndef SYNTHESIS
  for (genvar j = 0; j < WRITES; j++) begin : gen_write_check
    assert property (@(posedge clk_i) disable iff (!rst_ni) !write_valid_i[j] || write_address_i[j] < ROWS * LANES)
    else $error("buffer_memory: write to element %0d of %0d", write_address_i[j], ROWS * LANES);
  end
`endif

endmodule
