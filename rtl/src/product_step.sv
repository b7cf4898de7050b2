// One step of a product with A, for the clusters of one bank: a tile, or a part of one, with the operands that
// it meets and the result that it completes (docs/machine.md, "Values" and "Timing of each op"). Combinational.
//
// Tiles pass by (mvn, mvt) or lie in the buffers (tmvn, tmvt): the lanes do the same with them.
module product_step #(
  localparam int unsigned CLUSTERS = machine_pkg::BANK_CLUSTERS
) (
  input  logic                       valid_i,
  input  machine_pkg::op_t           op_i,
  input  logic                [31:0] block_i,      // local block of the clusters
  input  logic                [31:0] position_i,   // of the tile along the strip
  input  logic                [31:0] part_i,       // of the tile
  input  logic                       is_last_part_i,
  input  logic [CLUSTERS-1:0]        hits_i,
  input  logic [CLUSTERS-1:0]        is_first_i,   // the cluster had no block before
  input  logic [CLUSTERS-1:0][31:0]  own_i,        // elements of the block
  input  logic [CLUSTERS-1:0][31:0]  field_i,      // of the beat
  output machine_pkg::feed_t         feed_o,
  output logic                       has_result_o,
  output machine_pkg::result_t       result_o,
  output logic                [15:0] delay_o       // from the step to the result
);

  logic [31:0] side, block_address;
  assign side          = op_i.by_columns ? dcom_pkg::LANES_Y : dcom_pkg::LANES_X;
  assign block_address = block_i * op_i.layout.granule;
  assign delay_o       = 16'(dcom_pkg::BUFFER_READ_CYCLES
                       + machine_pkg::product_depth(op_i.is_across, op_i.by_columns, op_i.add, op_i.tiles));
  always_comb begin
    feed_o           = '0;
    feed_o.valid     = valid_i;
    feed_o.hits      = hits_i;
    feed_o.own       = own_i;
    feed_o.field     = field_i;
    feed_o.feed      = op_i.by_columns
        ? (op_i.is_across ? machine_pkg::FEED_ROWS_ACROSS : machine_pkg::FEED_COLUMNS_ALONG)
        : (op_i.is_across ? machine_pkg::FEED_COLUMNS_ACROSS : machine_pkg::FEED_ROWS_ALONG);
    feed_o.address_b = op_i.b + (op_i.is_across ? block_address : position_i * side);
    feed_o.common    = op_i.strip - position_i * side;
    feed_o.part      = part_i;
    feed_o.last_part = is_last_part_i;
    feed_o.last_pass = position_i == op_i.tiles - 32'd1;
    feed_o.exponent  = op_i.exponent;
    feed_o.is_added  = op_i.add;
    has_result_o       = valid_i & is_last_part_i & (op_i.is_across | feed_o.last_pass);
    result_o           = '0;
    result_o.hits      = hits_i;
    result_o.last_part = 1'b1;
    result_o.is_wide   = op_i.is_wide | op_i.is_across;
    if (op_i.is_across) begin
      result_o.sum      = op_i.by_columns ? machine_pkg::SUM_DIRECT_ROWS : machine_pkg::SUM_DIRECT_COLUMNS;
      result_o.has_z    = 1'b1;
      result_o.is_first = is_first_i;
      result_o.address  = op_i.z + 32'd2 * position_i * side;
      result_o.elements = machine_pkg::minimum(feed_o.common, side);
    end else begin
      result_o.sum      = op_i.by_columns ? machine_pkg::SUM_COLUMNS : machine_pkg::SUM_ROWS;
      result_o.has_z    = op_i.add;
      result_o.address  = op_i.z + (op_i.is_wide ? 32'd2 * block_address : block_address);
      result_o.elements = op_i.layout.granule;
    end
  end

  // Not all fields are of use here.
  logic unused;
  assign unused = ^op_i;

endmodule
