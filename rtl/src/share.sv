// What a cluster holds of a layout in one round (machine.md, "Layouts"). Combinational.
//
// Blocks are dealt in turn, so a cluster's elements of a round are a prefix of its addresses: only the
// last block of a slice is short, and it is the last one of its cluster.
module share (
  input  machine_pkg::layout_t layout_i,
  input  machine_pkg::deal_t   deal_i,
  input  logic [31:0]          round_i,
  input  logic [31:0]          rotation_i,  // of the deal in this round
  output logic [31:0]          slice_o,
  output logic [31:0]          block_o,     // the cluster's first block of the slice
  output logic [31:0]          blocks_o,    // how many it holds
  output logic [31:0]          elements_o
);

  logic        is_last, is_beyond;
  logic [31:0] quotient, remainder, missing;

  assign slice_o   = round_i * layout_i.count + deal_i.partition;
  assign block_o   = deal_i.position >= rotation_i ? deal_i.position - rotation_i
                   : deal_i.position + layout_i.clusters - rotation_i;
  assign is_beyond = ~deal_i.held | (slice_o >= layout_i.parts);
  assign is_last   = slice_o == layout_i.parts - 32'd1;
  assign quotient  = is_last ? layout_i.last_quotient : layout_i.full_quotient;
  assign remainder = is_last ? layout_i.last_remainder : layout_i.full_remainder;
  assign missing   = is_last ? layout_i.last_missing : layout_i.full_missing;
  assign blocks_o  = is_beyond ? '0 : quotient + 32'(block_o <= remainder);
  assign elements_o = blocks_o * layout_i.granule - ((~is_beyond & (block_o == remainder)) ? missing : '0);

  // Not all fields are of use here.
  logic unused;
  assign unused = ^layout_i;

endmodule
