// Entries of a program's tables, as the loader keeps them.
package tables_pkg;

  // Kinds of buffer regions, as the binary form numbers them: all of them, though not all are told apart.
  /* verilator lint_off UNUSEDPARAM */
  localparam logic [2:0] KIND_VECTOR  = 3'd0;
  localparam logic [2:0] KIND_WIDE    = 3'd1;
  localparam logic [2:0] KIND_FULL    = 3'd2;
  localparam logic [2:0] KIND_PARTIAL = 3'd3;
  localparam logic [2:0] KIND_COEFS   = 3'd4;
  localparam logic [2:0] KIND_SCALAR  = 3'd5;
  localparam logic [2:0] KIND_TILES   = 3'd6;
  /* verilator lint_on UNUSEDPARAM */

  typedef struct packed {
    logic [31:0] rows;
    logic [31:0] columns;
    logic [1:0]  store;    // memory, banks, banks by both axes
    logic        axis;     // of the one copy
    logic [15:0] layout_1;
    logic [15:0] layout_2;
    logic [31:0] row_1;
    logic [31:0] row_2;
  } matrix_t;

  typedef struct packed {
    logic [2:0]  kind;
    logic [31:0] elements;  // of full copies, partial sums, coefficients; tile positions
    logic [15:0] layout;
    logic [31:0] address;   // first element
  } buffer_t;

  typedef struct packed {
    logic [15:0] layout;
    logic [31:0] row;
    logic [31:0] resource;  // busy bit of the first vector
  } stack_t;

  typedef struct packed {
    logic [31:0] word;
  } global_t;

endpackage
