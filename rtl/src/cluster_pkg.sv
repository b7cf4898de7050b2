// Types that the modules of a cluster share.
//
// Source: docs/machine.md. The codes of `kind_e` are those of the ISA (crates/dcom-isa); a test of
// crates/dcom-cosim compares them.
package cluster_pkg;

  // Where products and sums are rounded (machine.md, section 2).
  typedef enum int unsigned {
    M16A16 = 0,  // products and sums in fp16
    M16A32 = 1,  // products in fp16, sums in fp32
    X32    = 2   // exact products, sums in fp32
  } mode_e;

  typedef enum logic [7:0] {
    KIND_MVN   = 8'h10,  // axis=rows: x in full, results by the row trees
    KIND_MVT   = 8'h11,  // axis=columns: x in full, results by the column trees
    KIND_DOT   = 8'h20,
    KIND_CORR  = 8'h24,
    KIND_AXPY  = 8'h25,
    KIND_SCALE = 8'h27
  } kind_e;

  // Rows of a buffer, elements of a row, groups and passes of an op: wide enough for the ranges of
  // a machine file (65536 rows, 256 x 256 lanes).
  typedef logic [16:0] count_t;

  // Tag of an op, handed back with its release and its done.
  typedef logic [15:0] id_t;

  // An op as the cluster gets it from the decoder. Group = round of `dot`, row of `axpy` and
  // `scale`, `lanes_y` elements of `corr`, block of a stream; pass = chunk of `dot`, coefficients of
  // `corr`, tile position of a stream.
  typedef struct packed {
    kind_e             kind;
    id_t               id;
    count_t            groups;
    count_t            passes;
    count_t            row_a;         // vector: v, or a of dot
    count_t            row_b;         // coefficients, scalar, full copy, or b of dot
    count_t            row_z;         // z, or the destination
    logic [31:0]       elements;      // that take part in a group; the others are masked
    logic [31:0]       elements_last; // the same for the last group
    logic              scalar;        // axpy: `b` has an exponent
    logic signed [7:0] exponent;      // streams: of every product
  } op_t;

  // One step of an op: what it reads, and what is done with it.
  typedef struct packed {
    kind_e             kind;
    id_t               id;
    logic              last_part;     // the operands are complete
    logic              last_pass;     // of the group
    logic              last_group;    // of the op
    count_t            part;
    count_t            row_a;
    count_t            offset_a;
    count_t            row_b;
    count_t            offset_b;
    count_t            row_z;
    count_t            offset_z;
    logic [31:0]       elements;      // left in the group
    logic [4:0]        levels;        // of the pairwise accumulator
    logic              scalar;
    logic signed [7:0] exponent;
  } step_t;

  // What has to happen at a known time after a step.
  typedef struct packed {
    kind_e  kind;
    id_t    id;
    logic   last_part;
    logic   last_group;
    count_t part;
    count_t row;
    count_t offset;
  } event_t;

  // How an address moves on. A row of the buffer has lanes_x segments of lanes_y elements, or lanes_y
  // segments of lanes_x elements: one side of a tile never straddles two rows.
  typedef enum logic [1:0] {
    STRIDE_ROW,
    STRIDE_LANES_X,
    STRIDE_LANES_Y
  } stride_e;

  function automatic logic is_stream(kind_e kind);
    is_stream = kind == cluster_pkg::KIND_MVN || kind == cluster_pkg::KIND_MVT;
  endfunction

  // Whether the result is z - w.
  function automatic logic is_correction(kind_e kind);
    is_correction = kind == cluster_pkg::KIND_CORR || kind == cluster_pkg::KIND_AXPY;
  endfunction

  // Word of the accumulate precision.
  function automatic int unsigned word_width(mode_e mode);
    word_width = mode == cluster_pkg::M16A16 ? 16 : 32;
  endfunction

  // Smallest n with 2^n >= count, for a count known at run time.
  function automatic logic [4:0] log2_ceil(count_t count);
    logic [16:0] below;
    below = count - 17'd1;
    log2_ceil = 5'd0;
    for (int unsigned i = 0; i < 17; i++) begin
      if (below[i]) log2_ceil = 5'(i + 1);
    end
  endfunction

  function automatic int unsigned ceil_div(int unsigned a, int unsigned b);
    ceil_div = (a + b - 1) / b;
  endfunction

endpackage
