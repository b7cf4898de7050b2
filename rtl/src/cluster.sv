// One cluster: buffer and lanes. Its column says, step by step, what to read and what to do with it
// (docs/machine.md, section 3).
module cluster #(
  localparam int unsigned LANES  = machine_pkg::LANES,
  localparam int unsigned READ   = machine_pkg::READ,
  localparam int unsigned PORT   = machine_pkg::PORT,
  localparam int unsigned REDUCE = machine_pkg::REDUCE,
  localparam int unsigned X      = dcom_pkg::LANES_X,
  localparam int unsigned Y      = dcom_pkg::LANES_Y,
  localparam int unsigned WORD   = machine_pkg::WORD
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,
  // The step whose operands are read now, with this cluster's own address of a.
  input  logic [31:0]                  address_a_i,
  input  logic [31:0]                  address_b_i,
  // The step whose operands arrive now.
  input  machine_pkg::feed_t           feed_i,
  input  logic                         hit_i,
  input  logic [31:0]                  own_i,
  input  logic [31:0]                  field_i,
  input  logic [PORT-1:0][15:0]        beat_i,
  output logic [READ-1:0][15:0]        read_o,        // to the column bus
  output logic [REDUCE-1:0][WORD-1:0]  sums_o,        // partial sums, to the partition network
  // z is read, z arrives, a result is due.
  input  machine_pkg::result_t         z_read_i,
  input  logic                         z_valid_i,
  input  machine_pkg::result_t         z_event_i,
  input  logic                         z_hit_i,
  input  logic                         z_first_i,
  input  logic                         result_valid_i,
  input  machine_pkg::result_t         result_event_i,
  input  logic                         result_hit_i,
  // From the column bus.
  input  logic                         fill_valid_i,
  input  logic [31:0]                  fill_address_i,
  input  logic [LANES-1:0]             fill_enable_i,
  input  logic [LANES-1:0][15:0]       fill_data_i,
  // Sums of dot.
  output logic                         partial_valid_o,
  output logic [WORD-1:0]              partial_o
);
  localparam int unsigned LONGER = machine_pkg::LONGER_SIDE;

  if (X < 2 || Y < 2 || READ < 2 * LONGER) begin : gen_width_check
    $error("cluster: reads two elements for each lane of the longer side, of at least two lanes each way");
  end

  // ---- Buffer ----

  logic [2:0][READ-1:0][15:0]  read_data;
  logic [LANES-1:0][15:0]      result_data;
  logic [LANES-1:0]            result_enable;
  logic [31:0]                 z_address;
  assign z_address = z_read_i.address + z_read_i.part * READ;
  buffer_memory #(
    .ROWS         (dcom_pkg::BUFFER_ROWS),
    .LANES        (LANES),
    .READ         (READ),
    .READ_LATENCY (dcom_pkg::BUFFER_READ_CYCLES),
    .WRITE_LATENCY(dcom_pkg::BUFFER_WRITE_CYCLES)
  ) i_buffer (
    .clk_i,
    .rst_ni,
    .read_address_i ({z_address, address_b_i, address_a_i}),
    .read_data_o    (read_data),
    .write_valid_i  ({result_valid_i & result_hit_i & result_event_i.last_part, fill_valid_i}),
    .write_address_i({result_event_i.address, fill_address_i}),
    .write_enable_i ({result_enable, fill_enable_i}),
    .write_data_i   ({result_data, fill_data_i})
  );
  assign read_o = read_data[0];

  // ---- Operands ----

  logic [LANES-1:0][15:0] a, b, z, passing, tile;
  collector #(
    .ELEMENTS(LANES),
    .PART    (READ)
  ) i_collect_a (
    .clk_i,
    .valid_i  (feed_i.valid),
    .part_i   (feed_i.part),
    .data_i   (read_data[0]),
    .operand_o(a)
  );
  collector #(
    .ELEMENTS(LANES),
    .PART    (READ)
  ) i_collect_b (
    .clk_i,
    .valid_i  (feed_i.valid),
    .part_i   (feed_i.part),
    .data_i   (read_data[1]),
    .operand_o(b)
  );
  collector #(
    .ELEMENTS(LANES),
    .PART    (READ)
  ) i_collect_z (
    .clk_i,
    .valid_i  (z_valid_i),
    .part_i   (z_event_i.part),
    .data_i   (read_data[2]),
    .operand_o(z)
  );

  // The cluster's field of the beat: a tile, a part of one, or a block.
  localparam int unsigned TILE_PART = PORT < LANES ? PORT : LANES;
  logic [PORT-1:0][15:0]      beat;
  logic [TILE_PART-1:0][15:0] field;
  assign beat = beat_i >> (16 * field_i);
  for (genvar i = 0; i < TILE_PART; i++) begin : gen_field
    assign field[i] = beat[i];
  end
  collector #(
    .ELEMENTS(LANES),
    .PART    (TILE_PART)
  ) i_collect_tile (
    .clk_i,
    .valid_i  (feed_i.valid & hit_i),
    .part_i   (feed_i.part),
    .data_i   (field),
    .operand_o(passing)
  );
  assign tile = feed_i.is_held ? a : passing;

  // Vectors of comb, one lane of every row after the other; the last one passes by.
  logic [X-1:0][Y-1:0][15:0] vectors, vectors_q;
  for (genvar i = 0; i < X; i++) begin : gen_vector
    for (genvar j = 0; j < Y; j++) begin : gen_element
      logic [15:0] element;
      assign element = field[(feed_i.sub+j)%TILE_PART];
      assign vectors[i][j] = feed_i.lane == i ? element : vectors_q[i][j];
    end
    always_ff @(posedge clk_i) if (feed_i.valid && hit_i) vectors_q[i] <= vectors[i];
  end

  // ---- Lanes ----

  logic [LANES-1:0][15:0] lane_a, lane_b;
  logic [LANES-1:0]       enable;
  logic signed [7:0]      exponent;
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    localparam int unsigned CX = i % X;
    localparam int unsigned CY = i / X;
    always_comb begin
      lane_a[i] = a[i];
      lane_b[i] = b[i];
      enable[i] = 1'b1;
      unique case (feed_i.feed)
        machine_pkg::FEED_DOT: enable[i] = i < own_i;
        machine_pkg::FEED_CORR: begin
          lane_a[i] = read_data[0][CY];
          lane_b[i] = read_data[1][CX];
          enable[i] = CX < feed_i.common;
        end
        machine_pkg::FEED_CSUM: begin
          lane_a[i] = read_data[0][CX];
          lane_b[i] = 16'h3c00;  // 1
          enable[i] = CX < feed_i.common;
        end
        machine_pkg::FEED_COMB: begin
          lane_a[i] = vectors[CX][CY];
          lane_b[i] = read_data[1][CX];
          enable[i] = (CX < feed_i.common) & (read_data[1][CX][14:0] != '0);
        end
        machine_pkg::FEED_ROWS_ALONG: begin
          lane_a[i] = tile[i];
          lane_b[i] = read_data[1][CX];
          enable[i] = (CX < feed_i.common) & (CY < own_i);
        end
        machine_pkg::FEED_COLUMNS_ALONG: begin
          lane_a[i] = tile[i];
          lane_b[i] = read_data[1][CY];
          enable[i] = (CY < feed_i.common) & (CX < own_i);
        end
        machine_pkg::FEED_ROWS_ACROSS: begin
          lane_a[i] = tile[i];
          lane_b[i] = read_data[1][CX];
          enable[i] = (CY < feed_i.common) & (CX < own_i);
        end
        machine_pkg::FEED_COLUMNS_ACROSS: begin
          lane_a[i] = tile[i];
          lane_b[i] = read_data[1][CY];
          enable[i] = (CX < feed_i.common) & (CY < own_i);
        end
        default: lane_b[i] = read_data[1][0];  // axpy, scale: a coefficient, or the mantissa of a scalar
      endcase
    end
  end
  // A scalar is its mantissa and its exponent, in two elements.
  always_comb begin
    unique case (feed_i.feed)
      machine_pkg::FEED_AXPY, machine_pkg::FEED_SCALE: exponent = feed_i.is_scalar ? read_data[1][1][7:0] : '0;
      default: exponent = feed_i.exponent;
    endcase
  end

  // z in accumulate precision. -0 is what changes no sum: there is nothing to add to yet.
  localparam logic [WORD-1:0] NOTHING = {1'b1, {(WORD - 1) {1'b0}}};
  logic [LANES-1:0][WORD-1:0] z_words, lane_results;
  for (genvar i = 0; i < LANES; i++) begin : gen_z
    logic [WORD-1:0] single, wide;
    if (WORD == 32) begin : gen_single
      fp_widen i_widen (
        .data_i(z[i]),
        .data_o(single)
      );
    end else begin : gen_half
      assign single = z[i];
    end
    if (i < LONGER) begin : gen_wide
      fp32_to_word i_wide (
        .data_i({read_data[2][2*i+1], read_data[2][2*i]}),
        .data_o(wide)
      );
    end else begin : gen_none
      assign wide = '0;
    end
    assign z_words[i] = z_first_i ? NOTHING : z_event_i.is_wide ? wide : single;
  end

  logic lane_result_valid;
  lanes i_lanes (
    .clk_i,
    .rst_ni,
    .valid_i       (feed_i.valid & feed_i.last_part & hit_i),
    .feed_i        (feed_i.feed),
    .last_pass_i   (feed_i.last_pass),
    .is_added_i    (feed_i.is_added),
    .enable_i      (enable),
    .a_i           (lane_a),
    .b_i           (lane_b),
    .exponent_i    (exponent),
    .z_valid_i     (z_valid_i & z_hit_i & z_event_i.last_part & z_event_i.has_z),
    .z_event_i,
    .z_i           (z_words),
    .result_event_i,
    .result_valid_o(lane_result_valid),
    .result_o      (lane_results),
    .partial_valid_o,
    .partial_o
  );

  // ---- Results ----

  logic [LANES-1:0][15:0]       halves;
  logic [LONGER-1:0][31:0]      singles;
  logic [LANES-1:0][31:0]       narrow;
  logic [2*LANES-1:0][15:0]     pairs;
  // A wide vector to be narrowed lies in the operands a and b, two elements a word.
  assign pairs = {b, a};
  for (genvar i = 0; i < LANES; i++) begin : gen_result
    logic [15:0] half, narrowed;
    if (WORD == 32) begin : gen_round
      fp_round i_round (
        .data_i(lane_results[i]),
        .data_o(half)
      );
    end else begin : gen_half
      assign half = lane_results[i];
    end
    assign narrow[i] = {pairs[2*i+1], pairs[2*i]};
    fp_round i_narrow (
      .data_i(narrow[i]),
      .data_o(narrowed)
    );
    assign halves[i] = result_event_i.sum == machine_pkg::SUM_NARROW ? narrowed : half;
    if (i < LONGER) begin : gen_single
      word_to_fp32 i_single (
        .data_i(lane_results[i]),
        .data_o(singles[i])
      );
    end
  end
  localparam int unsigned WIDE_ELEMENTS = 2 * LONGER;
  always_comb begin
    result_data = halves;
    for (int unsigned i = 0; i < LANES; i++) begin
      result_enable[i] = i < (result_event_i.is_wide ? 32'd2 * result_event_i.elements : result_event_i.elements);
      if (result_event_i.is_wide && i < WIDE_ELEMENTS) result_data[i] = singles[i/2][16*(i%2)+:16];
    end
  end

  for (genvar i = 0; i < REDUCE; i++) begin : gen_sum
    fp32_to_word i_word (
      .data_i({read_data[0][2*i+1], read_data[0][2*i]}),
      .data_o(sums_o[i])
    );
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      !(result_valid_i && result_hit_i && result_event_i.last_part)
      || lane_result_valid || result_event_i.sum == machine_pkg::SUM_NARROW)
  else $error("cluster: a result is due and there is none");
`endif

  logic unused;
  assign unused = ^{feed_i, z_read_i, z_event_i, result_event_i, beat, lane_result_valid};

endmodule
