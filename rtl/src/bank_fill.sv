// What goes from bank or memory into the buffers of the clusters: the blocks of ld and the tiles of ldt, in
// portions of what a buffer takes in a cycle.
//
// The beat of a step comes from the bank or from memory as late as the port `fill` is the op's. A bank is read
// again for every portion; memory gives a beat once, and it is kept for the portions after the first.
module bank_fill #(
  localparam int unsigned CLUSTERS = machine_pkg::BANK_CLUSTERS,
  localparam int unsigned PORT     = machine_pkg::PORT
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  // A step of the walk over the bank.
  input  logic                      valid_i,
  input  machine_pkg::op_t          op_i,
  input  logic               [31:0] block_i,       // local block of the clusters
  input  logic               [31:0] position_i,    // of the tile along the strip
  input  logic               [31:0] part_i,        // of a block or tile wider than the port
  input  logic               [31:0] repetition_i,  // portion of the block or tile in the beat
  input  logic [CLUSTERS-1:0]       hits_i,
  input  logic [CLUSTERS-1:0][31:0] field_i,
  // Its beat.
  input  logic     [PORT-1:0][15:0] bank_beat_i,
  input  logic     [PORT-1:0][15:0] memory_beat_i,
  // Elements of the beat for the buffers, from `field_o` on in the beat.
  output logic                      valid_o,
  output logic               [31:0] address_o,
  output logic               [31:0] elements_o,
  output logic [CLUSTERS-1:0]       hits_o,
  output logic [CLUSTERS-1:0][31:0] field_o,
  output logic     [PORT-1:0][15:0] beat_o
);
  localparam int unsigned LANES   = machine_pkg::LANES;
  localparam int unsigned INGEST  = dcom_pkg::INGEST_ELEMENTS;
  localparam int unsigned KR      = dcom_pkg::BANK_READ_CYCLES;
  localparam int unsigned EXPOSED = dcom_pkg::EXPOSED_CYCLES;

  logic                      is_tile, from_memory;
  logic [31:0]               base, size, carried, offset, elements;
  logic [CLUSTERS-1:0][31:0] field;
  assign is_tile     = op_i.opcode == dcom_pkg::OP_LDT;
  assign from_memory = is_tile & ~op_i.is_resident;
  assign size        = is_tile ? LANES : op_i.layout.granule;
  assign base        = (is_tile ? block_i * op_i.tiles + position_i : block_i) * size;
  assign carried     = machine_pkg::minimum(size - part_i * PORT, PORT);
  assign offset      = repetition_i * INGEST;
  // The last part may be through before the others would be.
  assign elements    = offset < carried ? machine_pkg::minimum(carried - offset, INGEST) : '0;
  for (genvar i = 0; i < CLUSTERS; i++) begin : gen_field
    assign field[i] = field_i[i] + offset;
  end

  localparam int unsigned STEP = 65 + CLUSTERS * 33;
  logic            bank_valid, memory_valid, is_first;
  logic [STEP-1:0] step, bank_step, memory_step;
  assign step = {op_i.z + base + part_i * PORT + offset, elements, repetition_i == '0, hits_i, field};
  delay_line #(
    .WIDTH  (STEP),
    .LATENCY(KR)
  ) i_bank_step (
    .clk_i,
    .rst_ni,
    .valid_i(valid_i & ~from_memory),
    .data_i (step),
    .valid_o(bank_valid),
    .data_o (bank_step)
  );
  delay_line #(
    .WIDTH  (STEP),
    .LATENCY(KR + EXPOSED)
  ) i_memory_step (
    .clk_i,
    .rst_ni,
    .valid_i(valid_i & from_memory),
    .data_i (step),
    .valid_o(memory_valid),
    .data_o (memory_step)
  );
  assign valid_o = bank_valid | memory_valid;
  assign {address_o, elements_o, is_first, hits_o, field_o} = memory_valid ? memory_step : bank_step;

  logic [PORT-1:0][15:0] kept_q;
  always_ff @(posedge clk_i) if (memory_valid && is_first) kept_q <= memory_beat_i;
  assign beat_o = ~memory_valid ? bank_beat_i : is_first ? memory_beat_i : kept_q;

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) !(bank_valid && memory_valid))
  else $error("bank_fill: two ops fill the buffers in one cycle");
`endif

  // Not all fields are of use here.
  logic unused;
  assign unused = ^op_i;

endmodule
