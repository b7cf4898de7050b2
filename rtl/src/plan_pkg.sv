// What the sequencer keeps of each instruction: units, operands, times, and the op itself.
package plan_pkg;

  typedef logic [31:0] num_t;

  // Units in the order of docs/machine.md, "Units"; the first five exist once per bank.
  typedef enum logic [3:0] {
    UNIT_PORT,
    UNIT_WRITE_PORT,
    UNIT_LANES,
    UNIT_FILL,
    UNIT_RESULT,
    UNIT_MEMORY,
    UNIT_NETWORK,
    UNIT_LINK_IN,
    UNIT_LINK_OUT,
    UNIT_STATISTICS,
    UNIT_GLOBAL_WRITE,
    UNIT_GLOBAL_READ,
    UNIT_SCALAR,
    UNIT_SVD
  } unit_e;
  localparam int unsigned BANK_UNITS = 5;
  localparam int unsigned UNITS      = 14;

  typedef struct packed {
    logic uses;
    num_t offset;  // after issue
    num_t cycles;
  } use_t;

  // Consecutive resources.
  typedef struct packed {
    num_t first;
    num_t count;
  } range_t;
  localparam int unsigned READS  = 5;
  localparam int unsigned WRITES = 2;

  // Resources in one numbering.
  localparam int unsigned BUFFER_0    = 0;
  localparam int unsigned VECTOR_0    = BUFFER_0 + dcom_pkg::BUFFER_REGIONS;
  localparam int unsigned GLOBAL_0    = VECTOR_0 + dcom_pkg::BANK_VECTORS;
  localparam int unsigned MATRIX_0    = GLOBAL_0 + dcom_pkg::GLOBAL_REGIONS;
  localparam int unsigned PART_0      = MATRIX_0 + dcom_pkg::MATRICES;
  localparam int unsigned PREDICATE_0 = PART_0 + dcom_pkg::PARTIALS;
  localparam int unsigned REGISTER_0  = PREDICATE_0 + dcom_pkg::PREDICATES;
  localparam int unsigned RESOURCES   = REGISTER_0 + dcom_pkg::REGISTERS;

  typedef struct packed {
    use_t [UNITS-1:0]              uses;
    logic [machine_pkg::BANKS-1:0] banks;        // of port, lanes, result
    logic [machine_pkg::BANKS-1:0] write_banks;  // of write_port
    logic [machine_pkg::BANKS-1:0] fill_banks;
    logic                          all_channels;
    num_t                          channel;
    range_t [READS-1:0]            reads;
    range_t [WRITES-1:0]           writes;
    num_t                          release_at;
    num_t                          done_at;
    logic                          has_guard;
    logic [15:0]                   guard;
    logic [15:0]                   register_a;
    logic [15:0]                   register_b;
    logic                          has_exponent;  // from register_a
    num_t                          stride;        // ingest: prompts per iteration
    num_t                          loop_count;
    num_t                          loop_length;
    machine_pkg::op_t              op;
  } plan_t;

endpackage
