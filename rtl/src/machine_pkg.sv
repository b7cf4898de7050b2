// Types that the modules of the machine share, and sizes that follow from those of dcom_pkg.
//
// Source: docs/machine.md. dcom_pkg is generated from the machine file and the op list.
package machine_pkg;

  // Sizes and counts as they stand in the tables of a program.
  typedef logic [31:0] num_t;

  localparam int unsigned M16A16 = 0;  // products and sums in fp16
  localparam int unsigned M16A32 = 1;  // products in fp16, sums in fp32
  localparam int unsigned X32    = 2;  // exact products, sums in fp32

  localparam int unsigned LANES         = dcom_pkg::LANES_X * dcom_pkg::LANES_Y;
  localparam int unsigned LONGER_SIDE   = dcom_pkg::LANES_X > dcom_pkg::LANES_Y ? dcom_pkg::LANES_X : dcom_pkg::LANES_Y;
  localparam int unsigned CLUSTERS      = dcom_pkg::COLUMNS * dcom_pkg::ROWS;
  localparam int unsigned BANK_CLUSTERS = dcom_pkg::BANK_COLUMNS * dcom_pkg::ROWS;
  localparam int unsigned BANKS         = (dcom_pkg::COLUMNS + dcom_pkg::BANK_COLUMNS - 1) / dcom_pkg::BANK_COLUMNS;
  localparam int unsigned READ          = dcom_pkg::READ_ELEMENTS < LANES ? dcom_pkg::READ_ELEMENTS : LANES;
  localparam int unsigned PORT          = dcom_pkg::PORT_ELEMENTS;
  // Accumulate precision.
  localparam int unsigned WORD          = dcom_pkg::MODE == M16A16 ? 16 : 32;
  localparam int unsigned ADD           = dcom_pkg::MODE == M16A16 ? dcom_pkg::ADD16_CYCLES : dcom_pkg::ADD32_CYCLES;
  localparam int unsigned ROW_TREE      = ADD * $clog2(dcom_pkg::LANES_X);
  localparam int unsigned COLUMN_TREE   = ADD * $clog2(dcom_pkg::LANES_Y);
  // From the read of a bank to the multipliers: banks and buffers arrive together.
  localparam int unsigned MEET          = dcom_pkg::BANK_READ_CYCLES > dcom_pkg::BUFFER_READ_CYCLES
                                        ? dcom_pkg::BANK_READ_CYCLES : dcom_pkg::BUFFER_READ_CYCLES;
  // Words of the global broadcast memory that reach the buffers, and leave them, in a cycle.
  localparam int unsigned GLOBAL        = dcom_pkg::GLOBAL_WIDTH;
  localparam int unsigned BUS_0         = GLOBAL < dcom_pkg::INGEST_ELEMENTS ? GLOBAL : dcom_pkg::INGEST_ELEMENTS;
  localparam int unsigned BUS           = BUS_0 < READ ? BUS_0 : READ;
  // Words of partial sums per cluster and cycle: two elements each.
  localparam int unsigned REDUCE_0      = dcom_pkg::NETWORK_WIDTH < GLOBAL ? dcom_pkg::NETWORK_WIDTH : GLOBAL;
  localparam int unsigned REDUCE        = REDUCE_0 < READ / 2 ? REDUCE_0 : READ / 2;
  localparam int unsigned NETWORK_LEVELS = $clog2(CLUSTERS);

  // A layout, as the program states it and as the loader works it out (machine.md, "Layouts").
  typedef struct packed {
    num_t             len;
    num_t             slices;
    num_t             clusters;        // per partition: g
    num_t             first;
    num_t             count;           // partitions
    num_t             granule;         // elements of a block: q
    logic             spread;
    logic             chain;
    num_t             slice_len;
    num_t             parts;
    num_t             rounds;
    num_t             slots;
    num_t             last_slots;      // of the last round
    num_t             round_len;       // elements of a round in every cluster, masked ones included
    num_t             blocks_modulo;   // blocks of a full slice mod g
    num_t             full_quotient;   // (blocks - 1) div g, mod g, and elements missing in the last block
    num_t             full_remainder;
    num_t             full_missing;
    num_t             last_quotient;   // the same for the last slice
    num_t             last_remainder;
    num_t             last_missing;
    num_t             engaged;         // partitions that hold an element
    logic [5:0]       levels;          // ceil(log2 g)
    num_t             vector_beats;
    num_t             tile_beats;
    logic [BANKS-1:0] banks;           // of the window
  } layout_t;

  // Place of a cluster in a layout.
  typedef struct packed {
    logic held;       // the window has this cluster
    num_t partition;  // of the window
    num_t position;   // in the order of the deal
  } deal_t;

  // An instruction with what its operands stand for. Buffer addresses are elements.
  typedef struct packed {
    logic [7:0]        opcode;
    logic [15:0]       layout_index;
    logic [15:0]       to_index;      // layout of the destination of gather, greduce and start
    layout_t           layout;
    layout_t           to;
    num_t              a;             // sliced input; tiles
    num_t              b;             // input of a product with A, coefficients, scalar
    num_t              z;             // result (and z of corrections)
    num_t              count;         // coefficients, words, length of a full copy or of partial sums
    logic              is_full;       // the destination of a gather
    logic              is_wide;       // the result of a product with A
    logic              is_scalar;     // the coefficient has an exponent
    logic              add;
    logic              is_across;     // partial sums of every cluster
    logic              by_columns;    // axis
    logic              is_resident;
    num_t              buffer;        // number of the partial sums' region
    num_t              matrix;
    num_t              rows;
    num_t              columns;
    num_t              tiles;
    num_t              first_tile;
    num_t              strip;         // elements of the strip along the axis
    num_t              along;         // tile positions of the whole matrix along the axis
    num_t              positions;     // of the walk
    num_t              cycles;        // that the walk takes; of a block whose tiles lie in the buffers
    num_t              steps;         // of the walk
    num_t              delay;         // of a walk after the start of the op
    num_t              bank_row;
    num_t              bank_row2;     // second copy of a resident matrix
    logic              has_copy2;
    num_t              vectors;       // read by comb
    num_t              host;          // input vector, or prompt
    num_t              side_index;    // bit 16: side; index of the factor's column
    num_t              word;          // of the global broadcast memory
    num_t              word2;
    num_t              start;
    num_t              start_slice;   // where `start` lies in `layout` (gather) or `to` (greduce)
    num_t              start_offset;
    num_t              start_round;
    num_t              start_partition;
    num_t              start_rotation;
    num_t              start_slot;
    num_t              start_block;   // position among the clusters before rotation
    num_t              partitions;    // summed over by preduce, greduce
    logic [15:0]       part;
    logic [15:0]       predicate;
    logic [15:0]       destination;   // register
    logic [31:0]       value_a;       // of the registers that it reads
    logic [31:0]       value_b;
    num_t              shift;         // of start, tolerance of brk
    logic signed [7:0] exponent;
    logic [2:0]        kind;          // of start
    num_t              k;             // of svd
    num_t              r;
    num_t              alpha;         // first register; of tsvd, of all its diagonals
    num_t              beta;
    num_t              band;          // of tsvd: diagonals beside the main one
  } op_t;

  // What the lanes of a column do with the operands of a step.
  typedef enum logic [3:0] {
    FEED_DOT,
    FEED_CORR,
    FEED_AXPY,
    FEED_SCALE,
    FEED_NARROW,
    FEED_CSUM,
    FEED_COMB,
    FEED_ROWS_ALONG,      // mvn: tile times x in full, by the row trees
    FEED_COLUMNS_ALONG,   // mvt
    FEED_ROWS_ACROSS,     // mvn: tile times the block of x, by the row trees
    FEED_COLUMNS_ACROSS,  // mvt
    FEED_READ,            // to the column bus or the partition network
    FEED_NONE
  } feed_e;

  // One step of the lanes, in the cycle in which the buffers are read.
  typedef struct packed {
    logic                           valid;
    feed_e                          feed;
    num_t                           address_a;
    num_t                           address_b;
    num_t                           part;       // of the operands, or of the tile
    logic                           last_part;
    logic                           last_pass;  // of a sum
    num_t                           common;     // operands along the axis, or coefficients, that are there
    logic signed [7:0]              exponent;
    logic                           is_scalar;
    logic                           is_held;    // the tile lies in the buffer: operand a
    logic                           is_added;   // the sum goes to an addition with z
    num_t                           lane;       // of the row, for comb
    num_t                           sub;        // comb: first element of the block
    logic [BANK_CLUSTERS-1:0]       hits;       // clusters that take part
    logic [BANK_CLUSTERS-1:0][31:0] own;        // elements of the cluster that are not masked
    logic [BANK_CLUSTERS-1:0][31:0] field;      // where in the beat its block or tile lies
  } feed_t;

  typedef enum logic [2:0] {
    SUM_ROWS,     // of the row accumulators
    SUM_COLUMNS,
    SUM_DIRECT_ROWS,
    SUM_DIRECT_COLUMNS,
    SUM_PRODUCTS,
    SUM_NARROW
  } sum_e;

  // A result that is due at a known time after its step.
  typedef struct packed {
    sum_e                     sum;
    logic                     has_z;      // is added to, or subtracted from, z
    logic                     subtract;
    logic                     is_wide;    // z and result
    num_t                     address;    // of z and result
    num_t                     part;       // of z
    logic                     last_part;
    num_t                     elements;   // of the result
    logic [BANK_CLUSTERS-1:0] hits;
    logic [BANK_CLUSTERS-1:0] is_first;   // nothing to add to yet
  } result_t;

  // Elements on their way through the global broadcast memory: up to BUS of one slice.
  typedef struct packed {
    logic                 valid;
    logic [15:0]          layout_index;
    num_t                 base;       // address of the vector in the buffers
    num_t                 elements;
    num_t                 partition;
    logic [BUS-1:0][31:0] owner;      // position of the element's cluster in the deal
    logic [BUS-1:0][31:0] local_address;
  } window_t;

  // What the column bus brings to the buffers.
  typedef enum logic [1:0] {
    FILL_SAME,    // the same words to every cluster of the window, from `address` on
    FILL_WINDOW   // each word to the cluster that holds the element
  } fill_e;
  typedef struct packed {
    logic                 valid;
    fill_e                mode;
    logic [15:0]          layout_index;
    num_t                 address;
    num_t                 elements;
    window_t              window;
    logic [BUS-1:0][15:0] words;
  } fill_t;

  // What a column asks memory or host for: the blocks or tiles of a beat.
  typedef struct packed {
    logic                           valid;
    logic                           is_host;
    num_t                           index;      // matrix, or host vector
    logic                           by_columns;
    num_t                           position;   // tile along the axis
    num_t                           part;
    logic [BANK_CLUSTERS-1:0]       hits;
    logic [BANK_CLUSTERS-1:0][31:0] element;    // first of the block
    logic [BANK_CLUSTERS-1:0][31:0] own;        // elements of the block
    logic [BANK_CLUSTERS-1:0][31:0] field;
  } request_t;

  // Where a sum in the partition network belongs.
  typedef struct packed {
    logic        valid;
    logic        is_dot;
    logic [15:0] layout_index;
    logic [15:0] part;
    num_t        partition;   // preduce
    num_t        word;        // destination: the first value of the round, or a word of global memory
    num_t        words;
  } tag_t;

  function automatic num_t ceil_div(num_t a, num_t b);
    ceil_div = (a + b - 32'd1) / b;
  endfunction

  function automatic num_t minimum(num_t a, num_t b);
    minimum = a < b ? a : b;
  endfunction

  function automatic num_t maximum(num_t a, num_t b);
    maximum = a > b ? a : b;
  endfunction

  // Smallest n with 2^n >= count.
  function automatic logic [5:0] log2_ceil(num_t count);
    num_t below;
    below = count - 32'd1;
    log2_ceil = 6'd0;
    if (count > 32'd1) begin
      for (int unsigned i = 0; i < 32; i++) begin
        if (below[i]) log2_ceil = 6'(i + 1);
      end
    end
  endfunction

  // Cycles from the operands of a product's last tile to its result.
  function automatic num_t product_depth(logic is_across, logic by_columns, logic add, num_t tiles);
    if (is_across) product_depth = dcom_pkg::MULTIPLY_CYCLES + (by_columns ? ROW_TREE : COLUMN_TREE) + ADD;
    else product_depth = dcom_pkg::MULTIPLY_CYCLES + (by_columns ? COLUMN_TREE : ROW_TREE) + ADD * (32'(log2_ceil(tiles)) + 32'(add));
  endfunction

  // Portions in which a buffer takes what a beat has of a block or tile.
  function automatic num_t portions(num_t elements);
    portions = ceil_div(minimum(elements, PORT), dcom_pkg::INGEST_ELEMENTS);
  endfunction

  function automatic logic is_stream(logic [7:0] opcode);
    is_stream = opcode == dcom_pkg::OP_MVN || opcode == dcom_pkg::OP_MVT;
  endfunction

endpackage
