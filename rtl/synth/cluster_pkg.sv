// Modes and ops of `lane_datapath`.
package cluster_pkg;

  // Where products and sums are rounded (machine.md, section 2).
  typedef enum int unsigned {
    M16A16 = 0,  // products and sums in fp16
    M16A32 = 1,  // products in fp16, sums in fp32
    X32    = 2   // exact products, sums in fp32
  } mode_e;

  // Opcodes of the ISA, for as many multiplexer inputs.
  typedef enum logic [7:0] {
    KIND_MVN   = 8'h10,  // axis=rows: x in full, results by the row trees
    KIND_MVT   = 8'h11,  // axis=columns: x in full, results by the column trees
    KIND_DOT   = 8'h20,
    KIND_CORR  = 8'h24,
    KIND_AXPY  = 8'h25,
    KIND_SCALE = 8'h27
  } kind_e;

  // Whether the result is z - w.
  function automatic logic is_correction(kind_e kind);
    is_correction = kind == cluster_pkg::KIND_CORR || kind == cluster_pkg::KIND_AXPY;
  endfunction

  // Word of the accumulate precision.
  function automatic int unsigned word_width(mode_e mode);
    word_width = mode == cluster_pkg::M16A16 ? 16 : 32;
  endfunction

endpackage
