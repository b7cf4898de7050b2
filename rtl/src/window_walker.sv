// Walks over consecutive elements of a sliced vector: in every step up to BUS elements of one slice, with
// the place of each in the deal. Combinational but for its state.
module window_walker #(
  localparam int unsigned BUS = machine_pkg::BUS
) (
  input  logic                 clk_i,
  input  logic                 load_i,
  input  machine_pkg::layout_t layout_i,
  input  logic          [15:0] layout_index_i,
  input  logic          [31:0] base_i,
  // Where the first element lies.
  input  logic          [31:0] slice_i,
  input  logic          [31:0] offset_i,     // in the slice
  input  logic          [31:0] round_i,
  input  logic          [31:0] partition_i,
  input  logic          [31:0] rotation_i,
  input  logic          [31:0] slot_i,
  input  logic          [31:0] block_i,      // of the slice, mod g
  input  logic                 step_i,
  input  logic          [31:0] elements_i,   // that the step takes
  output logic          [31:0] left_o,       // elements of the slice
  output machine_pkg::window_t window_o
);

  machine_pkg::layout_t layout_q;
  logic [15:0]          index_q;
  logic [31:0]          base_q, slice_q, offset_q, round_q, partition_q, rotation_q, slot_q, block_q, element_q;
  /* verilator lint_off UNOPTFLAT */  // each entry follows from the one before: a chain, not a loop
  logic [BUS:0][31:0]   slot, block, element;
  /* verilator lint_on UNOPTFLAT */
  logic [31:0]          start, owner, rotation_sum;

  // The element after the one before: the next of the block, the next cluster's, the next slot's.
  assign slot[0]    = slot_q;
  assign block[0]   = block_q;
  assign element[0] = element_q;
  for (genvar i = 0; i < BUS; i++) begin : gen_next
    logic ends_block, ends_slot;
    assign ends_block   = element[i] + 32'd1 == layout_q.granule;
    assign ends_slot    = ends_block & (block[i] + 32'd1 == layout_q.clusters);
    assign element[i+1] = ends_block ? '0 : element[i] + 32'd1;
    assign block[i+1]   = ends_slot ? '0 : block[i] + 32'(ends_block);
    assign slot[i+1]    = slot[i] + 32'(ends_slot);
  end

  assign start  = slice_q * layout_q.slice_len;
  assign left_o = machine_pkg::minimum(layout_q.slice_len, layout_q.len - start) - offset_q;
  always_comb begin
    window_o              = '0;
    window_o.valid        = 1'b1;
    window_o.layout_index = index_q;
    window_o.base         = base_q;
    window_o.elements     = elements_i;
    window_o.partition    = partition_q;
    for (int unsigned i = 0; i < BUS; i++) begin
      owner = block[i] + rotation_q;
      window_o.owner[i]         = owner >= layout_q.clusters ? owner - layout_q.clusters : owner;
      window_o.local_address[i] = (round_q * layout_q.slots + slot[i]) * layout_q.granule + element[i];
    end
  end

  assign rotation_sum = rotation_q + layout_q.blocks_modulo;
  always_ff @(posedge clk_i) begin
    if (load_i) begin
      layout_q    <= layout_i;
      index_q     <= layout_index_i;
      base_q      <= base_i;
      slice_q     <= slice_i;
      offset_q    <= offset_i;
      round_q     <= round_i;
      partition_q <= partition_i;
      rotation_q  <= rotation_i;
      slot_q      <= slot_i;
      block_q     <= block_i;
      element_q   <= offset_i % layout_i.granule;
    end else if (step_i) begin
      if (elements_i == left_o) begin
        slice_q   <= slice_q + 32'd1;
        offset_q  <= '0;
        slot_q    <= '0;
        block_q   <= '0;
        element_q <= '0;
        if (partition_q + 32'd1 == layout_q.count) begin
          partition_q <= '0;
          round_q     <= round_q + 32'd1;
          rotation_q  <= rotation_sum >= layout_q.clusters ? rotation_sum - layout_q.clusters : rotation_sum;
        end else begin
          partition_q <= partition_q + 32'd1;
        end
      end else begin
        offset_q <= offset_q + elements_i;
        for (int unsigned i = 1; i <= BUS; i++) begin
          if (elements_i == i) begin
            slot_q    <= slot[i];
            block_q   <= block[i];
            element_q <= element[i];
          end
        end
      end
    end
  end

  // Not all fields are of use here.
  logic unused;
  assign unused = ^layout_q;

endmodule
