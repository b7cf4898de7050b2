// One cluster: sequencer, buffer, lanes. Values and cycles are those of docs/machine.md.
//
// Outside: the bank with its port (`beat`), the column bus (`fill`), the partition network
// (`partial`), and the busy bits of the machine's sequencer (`release`, `done`).
module cluster #(
  parameter  cluster_pkg::mode_e MODE                 = cluster_pkg::M16A32,
  parameter  int unsigned        LANES_X              = 4,
  parameter  int unsigned        LANES_Y              = 4,
  parameter  int unsigned        BUFFER_ROWS          = 64,
  // Elements per operand that the lanes read in a cycle; more than one row is of no use.
  parameter  int unsigned        READ_ELEMENTS        = 16,
  // Elements of A in a beat of the bank's port; more than one tile is of no use to one cluster.
  parameter  int unsigned        BEAT_ELEMENTS        = 16,
  // The accumulators take sequences of up to 2^LEVELS sums.
  parameter  int unsigned        LEVELS               = 6,
  parameter  int unsigned        DECODE_LATENCY       = 1,
  parameter  int unsigned        BUFFER_READ_LATENCY  = 1,
  parameter  int unsigned        BUFFER_WRITE_LATENCY = 1,
  parameter  int unsigned        BANK_READ_LATENCY    = 3,
  parameter  int unsigned        MULTIPLY_LATENCY     = 2,
  parameter  int unsigned        ADD_LATENCY          = 2,
  localparam int unsigned        LANES                = LANES_X * LANES_Y,
  localparam int unsigned        WORD                 = cluster_pkg::word_width(MODE)
) (
  input  logic                                clk_i,
  /* verilator lint_off SYNCASYNCNET */  // only assertions sample the reset
  input  logic                                rst_ni,
  /* verilator lint_on SYNCASYNCNET */
  input  logic                                op_valid_i,
  output logic                                op_ready_o,
  input  cluster_pkg::op_t                    op_i,
  output logic                [1:0]           release_valid_o,
  output cluster_pkg::id_t    [1:0]           release_id_o,
  output logic                [1:0]           done_valid_o,
  output cluster_pkg::id_t    [1:0]           done_id_o,
  input  logic                                fill_valid_i,
  input  cluster_pkg::count_t                 fill_row_i,
  input  logic                [LANES-1:0]     fill_enable_i,
  input  logic                [LANES-1:0][15:0] fill_data_i,
  output logic                                beat_request_o,
  input  logic                [BEAT_ELEMENTS-1:0][15:0] beat_i,
  output logic                                partial_valid_o,
  output cluster_pkg::id_t                    partial_id_o,
  output logic                [WORD-1:0]      partial_o
);
  import cluster_pkg::*;

  if (READ_ELEMENTS > LANES || BEAT_ELEMENTS > LANES) begin : gen_width_check
    $error("cluster: at most one element per lane and cycle");
  end

  step_t  read, operand;
  event_t z_read, z_part, result, network;
  logic   operand_valid, z_part_valid, result_due, network_due;

  cluster_sequencer #(
    .LANES_X             (LANES_X),
    .LANES_Y             (LANES_Y),
    .READ_ELEMENTS       (READ_ELEMENTS),
    .BEAT_ELEMENTS       (BEAT_ELEMENTS),
    .LEVELS              (LEVELS),
    .DECODE_LATENCY      (DECODE_LATENCY),
    .BUFFER_READ_LATENCY (BUFFER_READ_LATENCY),
    .BUFFER_WRITE_LATENCY(BUFFER_WRITE_LATENCY),
    .BANK_READ_LATENCY   (BANK_READ_LATENCY),
    .MULTIPLY_LATENCY    (MULTIPLY_LATENCY),
    .ADD_LATENCY         (ADD_LATENCY)
  ) i_sequencer (
    .clk_i,
    .rst_ni,
    .op_valid_i,
    .op_ready_o,
    .op_i,
    .release_valid_o,
    .release_id_o,
    .done_valid_o,
    .done_id_o,
    .beat_request_o,
    .read_o         (read),
    .operand_valid_o(operand_valid),
    .operand_o      (operand),
    .z_read_o       (z_read),
    .z_valid_o      (z_part_valid),
    .z_o            (z_part),
    .result_valid_o (result_due),
    .result_o       (result),
    .network_valid_o(network_due),
    .network_o      (network)
  );

  // ---- Buffer ----

  logic [2:0][READ_ELEMENTS-1:0][15:0] read_data;
  logic [LANES-1:0][15:0]              lane_results, result_data;
  logic [LANES-1:0]                    result_enable;
  logic                                result_valid;
  cluster_buffer #(
    .ROWS         (BUFFER_ROWS),
    .LANES        (LANES),
    .READ_ELEMENTS(READ_ELEMENTS),
    .READ_LATENCY (BUFFER_READ_LATENCY),
    .WRITE_LATENCY(BUFFER_WRITE_LATENCY)
  ) i_buffer (
    .clk_i,
    .rst_ni,
    .read_row_i    ({z_read.row, read.row_b, read.row_a}),
    .read_offset_i ({z_read.offset, read.offset_b, read.offset_a}),
    .read_data_o   (read_data),
    .write_valid_i ({result_due, fill_valid_i}),
    .write_row_i   ({result.row, fill_row_i}),
    .write_enable_i({result_enable, fill_enable_i}),
    .write_data_i  ({result_data, fill_data_i})
  );

  // ---- Operands ----

  logic [LANES-1:0][15:0] a, b, z, tile, lane_a, lane_b;
  logic [LANES-1:0]       enable;
  logic signed [7:0]      exponent;
  operand_collector #(
    .ELEMENTS(LANES),
    .PART    (READ_ELEMENTS)
  ) i_collect_a (
    .clk_i,
    .valid_i  (operand_valid),
    .part_i   (operand.part),
    .data_i   (read_data[0]),
    .operand_o(a)
  );
  operand_collector #(
    .ELEMENTS(LANES),
    .PART    (READ_ELEMENTS)
  ) i_collect_b (
    .clk_i,
    .valid_i  (operand_valid),
    .part_i   (operand.part),
    .data_i   (read_data[1]),
    .operand_o(b)
  );
  operand_collector #(
    .ELEMENTS(LANES),
    .PART    (READ_ELEMENTS)
  ) i_collect_z (
    .clk_i,
    .valid_i  (z_part_valid),
    .part_i   (z_part.part),
    .data_i   (read_data[2]),
    .operand_o(z)
  );
  operand_collector #(
    .ELEMENTS(LANES),
    .PART    (BEAT_ELEMENTS)
  ) i_collect_tile (
    .clk_i,
    .valid_i  (operand_valid),
    .part_i   (operand.part),
    .data_i   (beat_i),
    .operand_o(tile)
  );

  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    localparam int unsigned X = i % LANES_X;
    localparam int unsigned Y = i / LANES_X;
    always_comb begin
      lane_a[i] = a[i];
      lane_b[i] = b[i];
      enable[i] = 1'b1;
      unique case (operand.kind)
        KIND_MVN: begin
          lane_a[i] = tile[i];
          lane_b[i] = b[X];
          enable[i] = X < operand.elements;
        end
        KIND_MVT: begin
          lane_a[i] = tile[i];
          lane_b[i] = b[Y];
          enable[i] = Y < operand.elements;
        end
        KIND_DOT: enable[i] = i < operand.elements;
        KIND_CORR: begin
          lane_a[i] = a[Y];
          lane_b[i] = b[X];
          enable[i] = X < operand.elements;
        end
        default: lane_b[i] = b[0];  // axpy, scale: a coefficient, or the mantissa of a scalar
      endcase
    end
  end
  // A scalar is its mantissa and its exponent, in two elements.
  localparam int unsigned EXPONENT_ELEMENT = LANES > 1 ? 1 : 0;
  always_comb begin
    unique case (operand.kind)
      KIND_MVN, KIND_MVT:   exponent = operand.exponent;
      KIND_AXPY, KIND_SCALE: exponent = operand.scalar ? b[EXPONENT_ELEMENT][7:0] : '0;
      default:              exponent = '0;
    endcase
  end

  lane_datapath #(
    .MODE            (MODE),
    .LANES_X         (LANES_X),
    .LANES_Y         (LANES_Y),
    .LEVELS          (LEVELS),
    .MULTIPLY_LATENCY(MULTIPLY_LATENCY),
    .ADD_LATENCY     (ADD_LATENCY)
  ) i_lanes (
    .clk_i,
    .rst_ni,
    .valid_i        (operand_valid & operand.last_part),
    .kind_i         (operand.kind),
    .last_pass_i    (operand.last_pass),
    .enable_i       (enable),
    .a_i            (lane_a),
    .b_i            (lane_b),
    .exponent_i     (exponent),
    .z_valid_i      (z_part_valid & z_part.last_part),
    .z_kind_i       (z_part.kind),
    .z_i            (z),
    .result_kind_i  (result.kind),
    .result_valid_o (result_valid),
    .result_o       (lane_results),
    .partial_valid_o,
    .partial_o
  );
  assign partial_id_o = network.id;

  // ---- Results to their place in the row ----

  logic [LANES-1:0] result_elements;
  always_comb begin
    unique case (result.kind)
      KIND_CORR, KIND_MVN: result_elements = LANES'({LANES_Y{1'b1}});
      KIND_MVT:            result_elements = LANES'({LANES_X{1'b1}});
      default:             result_elements = '1;
    endcase
  end
  assign result_enable = result_elements << result.offset;
  assign result_data   = lane_results << (16 * 32'(result.offset));

  assert property (@(posedge clk_i) disable iff (!rst_ni) !result_due || result_valid)
  else $error("cluster: op %0d has no result when it is due", result.id);
  assert property (@(posedge clk_i) disable iff (!rst_ni) partial_valid_o == network_due)
  else $error("cluster: a sum of dot is due and there is none, or the other way round");

  logic unused;
  assign unused = ^{read, operand, z_read, z_part, result, network};

endmodule
