// From an instruction to its plan: sizes, units with their offsets and cycles, operands, times. Combinational.
//
// The names are those of docs/machine.md, "Timing of each op"; the tables are those of the program.
// `segments_i` is the number of steps in which a vector passes the global broadcast memory, counted by
// the loader.
module planner (
  input  logic [15:0][15:0]       words_i,        // of the instruction
  // Entries of the tables that the instruction names.
  input  machine_pkg::layout_t    layout_a_i,     // of the first buffer or bank vector, or of `layout`
  input  logic [15:0]             layout_a_index_i,
  input  machine_pkg::layout_t    layout_b_i,     // of the destination
  input  logic [15:0]             layout_b_index_i,
  input  tables_pkg::matrix_t     matrix_i,
  input  tables_pkg::buffer_t     buffer_0_i,     // in the order of the operands
  input  tables_pkg::buffer_t     buffer_1_i,
  input  tables_pkg::buffer_t     buffer_2_i,
  input  tables_pkg::stack_t      stack_i,
  input  tables_pkg::global_t     global_0_i,
  input  tables_pkg::global_t     global_1_i,
  input  logic                    overlap_ingest_i,
  input  logic [31:0]             segments_i,
  input  rate_pkg::rate_t         link_rate_i,
  input  rate_pkg::rate_t         stream_rate_i,  // of a channel
  input  rate_pkg::rate_t         ingest_rate_i,
  output plan_pkg::plan_t         plan_o
);
  localparam int unsigned S   = dcom_pkg::DECODE_CYCLES;
  localparam int unsigned BR  = dcom_pkg::BUFFER_READ_CYCLES;
  localparam int unsigned BW  = dcom_pkg::BUFFER_WRITE_CYCLES;
  localparam int unsigned KR  = dcom_pkg::BANK_READ_CYCLES;
  localparam int unsigned KW  = dcom_pkg::BANK_WRITE_CYCLES;
  localparam int unsigned GR  = dcom_pkg::GLOBAL_READ_CYCLES;
  localparam int unsigned GW  = dcom_pkg::GLOBAL_WRITE_CYCLES;
  localparam int unsigned M   = dcom_pkg::MULTIPLY_CYCLES;
  localparam int unsigned A   = machine_pkg::ADD;
  localparam int unsigned F   = dcom_pkg::ADD32_CYCLES;
  localparam int unsigned XT  = machine_pkg::ROW_TREE;
  localparam int unsigned YT  = machine_pkg::COLUMN_TREE;
  localparam int unsigned LL  = dcom_pkg::LINK_CYCLES;
  localparam int unsigned E   = dcom_pkg::EXPOSED_CYCLES;
  localparam int unsigned X   = dcom_pkg::LANES_X;
  localparam int unsigned Y   = dcom_pkg::LANES_Y;
  localparam int unsigned LANES  = machine_pkg::LANES;
  localparam int unsigned PORT   = machine_pkg::PORT;
  localparam int unsigned BUS    = machine_pkg::BUS;
  localparam int unsigned REDUCE = machine_pkg::REDUCE;
  localparam int unsigned MEET   = machine_pkg::MEET;
  localparam int unsigned GLOBAL = dcom_pkg::GLOBAL_WIDTH;
  localparam int unsigned PUT    = dcom_pkg::WRITE_PORTS < GLOBAL ? dcom_pkg::WRITE_PORTS : GLOBAL;
  localparam int unsigned PARTS  = (LANES + machine_pkg::READ - 1) / machine_pkg::READ;

  if (dcom_pkg::MVT_MATRIX != dcom_pkg::MVN_MATRIX || dcom_pkg::MVT_AXIS != dcom_pkg::MVN_AXIS ||
      dcom_pkg::MVT_X != dcom_pkg::MVN_X || dcom_pkg::MVT_Y != dcom_pkg::MVN_Y ||
      dcom_pkg::MVT_FIRST_TILE != dcom_pkg::MVN_FIRST_TILE || dcom_pkg::MVT_END_TILE != dcom_pkg::MVN_END_TILE ||
      dcom_pkg::MVT_ADD != dcom_pkg::MVN_ADD || dcom_pkg::MVT_EXPONENT != dcom_pkg::MVN_EXPONENT ||
      dcom_pkg::TMVT_TILES != dcom_pkg::TMVN_TILES || dcom_pkg::TMVT_AXIS != dcom_pkg::TMVN_AXIS ||
      dcom_pkg::TMVT_X != dcom_pkg::TMVN_X || dcom_pkg::TMVT_Y != dcom_pkg::TMVN_Y ||
      dcom_pkg::TMVT_ADD != dcom_pkg::TMVN_ADD || dcom_pkg::TMVT_EXPONENT != dcom_pkg::TMVN_EXPONENT ||
      dcom_pkg::PUTW_DST != dcom_pkg::PUTH_DST || dcom_pkg::PUTW_SRC != dcom_pkg::PUTH_SRC ||
      dcom_pkg::DIV_DST != dcom_pkg::MUL_DST || dcom_pkg::DIV_A != dcom_pkg::MUL_A ||
      dcom_pkg::DIV_B != dcom_pkg::MUL_B || dcom_pkg::MAX_DST != dcom_pkg::MUL_DST ||
      dcom_pkg::MAX_A != dcom_pkg::MUL_A || dcom_pkg::MAX_B != dcom_pkg::MUL_B ||
      dcom_pkg::LOG2_DST != dcom_pkg::SQRT_DST || dcom_pkg::LOG2_A != dcom_pkg::SQRT_A ||
      dcom_pkg::TSVD_MATRIX != dcom_pkg::SVD_MATRIX || dcom_pkg::TSVD_U != dcom_pkg::SVD_U ||
      dcom_pkg::TSVD_V != dcom_pkg::SVD_V || dcom_pkg::TSVD_K != dcom_pkg::SVD_K ||
      dcom_pkg::TSVD_R != dcom_pkg::SVD_R || dcom_pkg::TSVD_EXPONENT != dcom_pkg::SVD_EXPONENT ||
      dcom_pkg::START_MATRIX != dcom_pkg::STAT_MATRIX) begin : gen_operand_check
    $error("planner: ops that are decoded together have an operand in different words");
  end

  plan_pkg::plan_t      p;
  machine_pkg::layout_t l, to;
  logic [7:0]           opcode;
  logic [31:0]          n, n1, e, d, v, carried, passes, chunks, length, tiles, first_tile, end_tile, side, along, cut, strip, memory,
                        r, groups, depth, link, stats, fill_1, fill_2;
  logic                 by_columns, resident, is_load;

  function automatic plan_pkg::use_t used(logic [31:0] offset, logic [31:0] cycles);
    used = {1'b1, offset, cycles};
  endfunction
  function automatic plan_pkg::range_t one(logic [31:0] first);
    one = {first, 32'd1};
  endfunction
  function automatic logic [31:0] levels(logic [31:0] count);
    levels = 32'(machine_pkg::log2_ceil(count));
  endfunction
  // Cycles for bytes at a rate, rounded up.
  function automatic logic [31:0] cycles_for(logic [63:0] bytes, rate_pkg::rate_t rate);
    logic [63:0] scaled;
    scaled = bytes * 64'(rate.cycles);
    cycles_for = 32'((scaled + 64'(rate.bytes) - 64'd1) / 64'(rate.bytes));
  endfunction
  function automatic logic [31:0] buffer(logic [15:0] index);
    buffer = plan_pkg::BUFFER_0 + 32'(index);
  endfunction
  function automatic logic [31:0] global_region(logic [15:0] index);
    global_region = plan_pkg::GLOBAL_0 + 32'(index);
  endfunction
  function automatic logic [31:0] register(logic [15:0] index);
    register = plan_pkg::REGISTER_0 + 32'(index);
  endfunction

  assign opcode  = words_i[0][7:0];
  assign l       = layout_a_i;
  assign to      = layout_b_i;
  assign v       = l.vector_beats;
  assign carried = machine_pkg::minimum(l.granule, PORT);
  assign length  = l.rounds * l.round_len;
  always_comb begin
    p              = '0;
    p.has_guard    = words_i[1] != 16'hffff;
    p.guard        = words_i[1];
    p.banks        = l.banks;
    p.write_banks  = l.banks;
    p.fill_banks   = l.banks;
    p.op.opcode    = opcode;
    p.op.layout    = l;
    p.op.layout_index = layout_a_index_i;
    p.op.to        = to;
    p.op.to_index  = layout_b_index_i;
    {n, n1, e, d, passes, chunks, tiles, first_tile, end_tile, side, along, cut, strip, memory, r, groups, depth, link, stats,
     fill_1, fill_2} = '0;
    by_columns = 1'b0;
    is_load    = 1'b0;
    resident   = matrix_i.store != 2'd0;
    unique case (opcode)
      dcom_pkg::OP_LD: begin  // dst: buffer 0, src: vector
        n = v * machine_pkg::portions(l.granule);
        p.reads[0]   = one(stack_i.resource + 32'(words_i[dcom_pkg::LD_SRC+1]));
        p.writes[0]  = one(buffer(words_i[dcom_pkg::LD_DST]));
        p.uses[plan_pkg::UNIT_PORT] = used(S, n);
        p.uses[plan_pkg::UNIT_FILL] = used(S + KR, n);
        p.release_at = S + n;
        p.done_at    = S + n + KR + BW;
        p.op.z        = buffer_0_i.address;
        p.op.bank_row = stack_i.row + 32'(words_i[dcom_pkg::LD_SRC+1]) * v;
      end
      dcom_pkg::OP_ST: begin
        p.reads[0]   = one(buffer(words_i[dcom_pkg::ST_SRC]));
        p.writes[0]  = one(stack_i.resource + 32'(words_i[dcom_pkg::ST_DST+1]));
        p.uses[plan_pkg::UNIT_LANES]      = used(S, v);
        p.uses[plan_pkg::UNIT_WRITE_PORT] = used(S + BR, v);
        p.release_at = S + v;
        p.done_at    = S + v + BR + KW;
        p.op.a        = buffer_0_i.address;
        p.op.bank_row = stack_i.row + 32'(words_i[dcom_pkg::ST_DST+1]) * v;
      end
      dcom_pkg::OP_IN: begin
        n = machine_pkg::maximum(v, cycles_for(64'd2 * 64'(l.len), link_rate_i));
        p.writes[0]  = one(stack_i.resource + 32'(words_i[dcom_pkg::IN_DST+1]));
        p.uses[plan_pkg::UNIT_LINK_IN]    = used(S, n);
        p.uses[plan_pkg::UNIT_WRITE_PORT] = used(S + LL + n - v, v);
        p.done_at    = S + LL + n + KW;
        p.release_at = p.done_at;
        p.op.delay     = LL + n - v - 32'd1;
        p.op.host      = 32'(words_i[dcom_pkg::IN_HOST]);
        p.op.positions = 32'd1;
        p.op.bank_row  = stack_i.row + 32'(words_i[dcom_pkg::IN_DST+1]) * v;
      end
      dcom_pkg::OP_OUT: begin
        n = machine_pkg::maximum(v, cycles_for(64'd2 * 64'(l.len), link_rate_i));
        p.reads[0]   = one(stack_i.resource + 32'(words_i[dcom_pkg::OUT_SRC+1]));
        p.uses[plan_pkg::UNIT_PORT]     = used(S, v);
        p.uses[plan_pkg::UNIT_LINK_OUT] = used(S + KR, n);
        p.release_at = S + v;
        p.done_at    = S + KR + n + LL;
        p.op.matrix     = 32'(words_i[dcom_pkg::OUT_MATRIX]);
        p.op.side_index = {15'd0, words_i[dcom_pkg::OUT_SIDE][0], words_i[dcom_pkg::OUT_INDEX]};
        p.op.bank_row   = stack_i.row + 32'(words_i[dcom_pkg::OUT_SRC+1]) * v;
      end
      dcom_pkg::OP_GATHER: begin  // dst: buffer 0, src: buffer 1
        n = segments_i;
        p.reads[0]   = one(buffer(words_i[dcom_pkg::GATHER_SRC]));
        p.writes[0]  = one(buffer(words_i[dcom_pkg::GATHER_DST]));
        p.uses[plan_pkg::UNIT_LANES]        = used(S, n);
        p.uses[plan_pkg::UNIT_GLOBAL_WRITE] = used(S + BR, n);
        p.uses[plan_pkg::UNIT_GLOBAL_READ]  = used(S + BR + GW, n);
        p.uses[plan_pkg::UNIT_FILL]         = used(S + BR + GW + GR, n);
        p.fill_banks = to.banks;
        p.release_at = S + n;
        p.done_at    = S + BR + GW + GR + n + BW;
        p.op.a       = buffer_1_i.address;
        p.op.z       = buffer_0_i.address;
        p.op.is_full = buffer_0_i.kind == tables_pkg::KIND_FULL;
        p.op.count   = p.op.is_full ? buffer_0_i.elements : l.len;
      end
      dcom_pkg::OP_INGEST: begin
        link   = cycles_for(64'd2 * 64'(matrix_i.rows) * 64'(matrix_i.columns), link_rate_i);
        stats  = matrix_i.rows * machine_pkg::maximum(F, (matrix_i.columns + dcom_pkg::INGEST_WIDTH - 32'd1) / dcom_pkg::INGEST_WIDTH);
        groups = matrix_i.rows * ((matrix_i.columns + dcom_pkg::INGEST_WIDTH - 32'd1) / dcom_pkg::INGEST_WIDTH);
        memory = cycles_for(64'd2 * 64'(matrix_i.rows) * 64'(matrix_i.columns), ingest_rate_i);
        n      = machine_pkg::maximum(link, machine_pkg::maximum(stats, memory));
        depth  = machine_pkg::maximum(M + F * (levels(dcom_pkg::INGEST_WIDTH) + levels(groups)), F) + KW;
        // The copy cut by rows first; a single copy may be cut by columns.
        by_columns     = matrix_i.store == 2'd1 & matrix_i.axis;
        p.op.along     = by_columns ? (matrix_i.rows + Y - 32'd1) / Y : (matrix_i.columns + X - 32'd1) / X;
        p.op.positions = p.op.along;
        p.op.steps     = l.tile_beats * p.op.along;
        fill_1         = machine_pkg::maximum(p.op.steps, memory);
        p.op.cycles    = fill_1;
        p.op.by_columns = by_columns;
        p.op.bank_row  = matrix_i.row_1;
        p.op.bank_row2 = matrix_i.row_2;
        p.op.has_copy2 = matrix_i.store == 2'd2;
        p.op.first_tile = (matrix_i.rows + Y - 32'd1) / Y;
        p.op.tiles     = to.tile_beats * p.op.first_tile;
        fill_2         = machine_pkg::maximum(p.op.tiles, memory);
        p.op.strip     = fill_2;
        if (!p.op.has_copy2) fill_2 = '0;
        p.op.is_resident = resident;
        p.op.delay     = n;
        p.op.matrix    = 32'(words_i[dcom_pkg::INGEST_MATRIX]);
        p.op.rows      = matrix_i.rows;
        p.op.columns   = matrix_i.columns;
        p.op.host      = {words_i[dcom_pkg::INGEST_PROMPT+1], words_i[dcom_pkg::INGEST_PROMPT]};
        p.stride       = {words_i[dcom_pkg::INGEST_STRIDE+1], words_i[dcom_pkg::INGEST_STRIDE]};
        p.writes[0]    = one(plan_pkg::MATRIX_0 + 32'(words_i[dcom_pkg::INGEST_MATRIX]));
        p.uses[plan_pkg::UNIT_LINK_IN]    = used(S, n);
        p.uses[plan_pkg::UNIT_STATISTICS] = used(S + LL, n);
        p.all_channels = 1'b1;
        if (resident) begin
          p.write_banks = l.banks | (p.op.has_copy2 ? to.banks : '0);
          p.uses[plan_pkg::UNIT_WRITE_PORT] = used(S + LL + n + E, fill_1 + fill_2);
          p.uses[plan_pkg::UNIT_MEMORY]     = used(S, LL + n + E + fill_1 + fill_2);
          depth = machine_pkg::maximum(depth, E + fill_1 + fill_2 + KW);
        end else if (!overlap_ingest_i) begin
          p.uses[plan_pkg::UNIT_MEMORY] = used(S, n);
        end
        p.done_at    = S + LL + n + depth;
        p.release_at = p.done_at;
      end
      dcom_pkg::OP_MVN, dcom_pkg::OP_MVT, dcom_pkg::OP_LDT: begin  // x: buffer 0, y: buffer 1; dst: buffer 0
        is_load    = opcode == dcom_pkg::OP_LDT;
        by_columns = is_load ? words_i[dcom_pkg::LDT_AXIS][0] : words_i[dcom_pkg::MVN_AXIS][0];
        first_tile = is_load ? {words_i[dcom_pkg::LDT_FIRST_TILE+1], words_i[dcom_pkg::LDT_FIRST_TILE]}
                   : {words_i[dcom_pkg::MVN_FIRST_TILE+1], words_i[dcom_pkg::MVN_FIRST_TILE]};
        end_tile   = is_load ? {words_i[dcom_pkg::LDT_END_TILE+1], words_i[dcom_pkg::LDT_END_TILE]}
                   : {words_i[dcom_pkg::MVN_END_TILE+1], words_i[dcom_pkg::MVN_END_TILE]};
        tiles      = end_tile - first_tile;
        side       = by_columns ? Y : X;
        along      = by_columns ? matrix_i.rows : matrix_i.columns;
        cut        = by_columns ? matrix_i.columns : matrix_i.rows;
        strip      = machine_pkg::minimum(end_tile * side, along) - first_tile * side;
        p.op.is_across   = ~is_load & ((opcode == dcom_pkg::OP_MVN) == by_columns);
        p.op.by_columns  = by_columns;
        p.op.is_resident = resident;
        p.op.first_tile  = first_tile;
        p.op.tiles       = tiles;
        p.op.strip       = strip;
        p.op.along       = (along + side - 32'd1) / side;
        p.op.positions   = tiles;
        p.op.matrix      = 32'(words_i[is_load ? dcom_pkg::LDT_MATRIX : dcom_pkg::MVN_MATRIX]);
        p.op.bank_row    = matrix_i.store == 2'd2 & by_columns ? matrix_i.row_2 : matrix_i.row_1;
        // Sums are read, added to and written back before the next block has its turn.
        if (p.op.is_across && l.rounds * l.slots > 32'd1) p.op.positions = machine_pkg::maximum(tiles, BR + A + BW);
        p.op.steps = l.tile_beats * p.op.positions * (is_load ? machine_pkg::portions(LANES) : 32'd1);
        n = p.op.steps;
        d = is_load ? KR : MEET;
        p.channel = l.first / l.count;
        if (!resident) begin
          memory = cycles_for(64'd2 * 64'(cut) * 64'(strip), stream_rate_i);
          n      = machine_pkg::maximum(n, memory);
          d      = d + E;
          p.uses[plan_pkg::UNIT_MEMORY] = used(S, n);
        end
        p.op.cycles = n;
        p.reads[0]  = one(plan_pkg::MATRIX_0 + p.op.matrix);
        p.uses[plan_pkg::UNIT_PORT] = used(S, n);
        if (is_load) begin
          p.op.z       = buffer_0_i.address;
          p.writes[0]  = one(buffer(words_i[dcom_pkg::LDT_DST]));
          p.uses[plan_pkg::UNIT_FILL] = used(S + d, n);
          p.release_at = S + n;
          p.done_at    = S + d + n + BW;
        end else begin
          p.op.add     = words_i[dcom_pkg::MVN_ADD][0];
          e = machine_pkg::product_depth(p.op.is_across, by_columns, p.op.add, tiles);
          p.op.b       = buffer_0_i.address;
          p.op.z       = buffer_1_i.address;
          p.op.is_wide = buffer_1_i.kind == tables_pkg::KIND_WIDE;
          p.op.buffer  = 32'(words_i[dcom_pkg::MVN_Y]);
          p.reads[1]   = one(register(words_i[dcom_pkg::MVN_EXPONENT]));
          p.reads[2]   = one(buffer(words_i[dcom_pkg::MVN_X]));
          p.writes[0]  = one(buffer(words_i[dcom_pkg::MVN_Y]));
          p.register_a   = words_i[dcom_pkg::MVN_EXPONENT];
          p.has_exponent = 1'b1;
          p.uses[plan_pkg::UNIT_LANES]  = used(S + d - BR, n);
          p.uses[plan_pkg::UNIT_RESULT] = used(S + d + e, n);
          p.release_at = S + d - BR + n;
          p.done_at    = S + d + e + n + BW;
        end
      end
      dcom_pkg::OP_TMVN, dcom_pkg::OP_TMVT: begin  // x: buffer 0, y: buffer 1, tiles: buffer 2
        by_columns = words_i[dcom_pkg::TMVN_AXIS][0];
        tiles      = buffer_2_i.elements;
        p.op.is_across  = (opcode == dcom_pkg::OP_TMVN) == by_columns;
        p.op.by_columns = by_columns;
        p.op.tiles      = tiles;
        // The side along the strip is a full copy, or partial sums.
        p.op.strip      = p.op.is_across ? buffer_1_i.elements : buffer_0_i.elements;
        p.op.add        = words_i[dcom_pkg::TMVN_ADD][0];
        p.op.a          = buffer_2_i.address;
        p.op.b          = buffer_0_i.address;
        p.op.z          = buffer_1_i.address;
        p.op.is_wide    = buffer_1_i.kind == tables_pkg::KIND_WIDE;
        p.op.buffer     = 32'(words_i[dcom_pkg::TMVN_Y]);
        p.op.cycles     = tiles * PARTS;
        if (p.op.is_across && l.rounds * l.slots > 32'd1) p.op.cycles = machine_pkg::maximum(p.op.cycles, BR + A + BW);
        n = l.rounds * l.slots * p.op.cycles;
        e = machine_pkg::product_depth(p.op.is_across, by_columns, p.op.add, tiles);
        p.reads[0]  = one(register(words_i[dcom_pkg::TMVN_EXPONENT]));
        p.reads[1]  = one(buffer(words_i[dcom_pkg::TMVN_TILES]));
        p.reads[2]  = one(buffer(words_i[dcom_pkg::TMVN_X]));
        p.writes[0] = one(buffer(words_i[dcom_pkg::TMVN_Y]));
        p.register_a   = words_i[dcom_pkg::TMVN_EXPONENT];
        p.has_exponent = 1'b1;
        p.uses[plan_pkg::UNIT_LANES]  = used(S, n);
        p.uses[plan_pkg::UNIT_RESULT] = used(S + BR + e, n);
        p.release_at = S + n;
        p.done_at    = S + BR + e + n + BW;
      end
      dcom_pkg::OP_PREDUCE: begin  // src: buffer 0; layout: layout a
        p.op.count      = buffer_0_i.elements;
        p.op.partitions = l.engaged;
        n = l.engaged * ((buffer_0_i.elements + REDUCE - 32'd1) / REDUCE);
        r = (l.chain ? l.clusters - 32'd1 : 32'(l.levels)) * (dcom_pkg::HOP_CYCLES + A);
        p.reads[0]  = one(buffer(words_i[dcom_pkg::PREDUCE_SRC]));
        p.writes[0] = one(global_region(words_i[dcom_pkg::PREDUCE_DST]));
        p.uses[plan_pkg::UNIT_LANES]        = used(S, n);
        p.uses[plan_pkg::UNIT_NETWORK]      = used(S + BR, n);
        p.uses[plan_pkg::UNIT_GLOBAL_WRITE] = used(S + BR + r, n);
        p.release_at = S + n;
        p.done_at    = S + BR + r + n + GW;
        p.op.a      = buffer_0_i.address;
        p.op.buffer = 32'(words_i[dcom_pkg::PREDUCE_SRC]);
        p.op.word   = global_0_i.word;
      end
      dcom_pkg::OP_GREDUCE: begin  // dst: buffer 0; layout: layout a; layout of dst: layout b
        p.op.partitions = l.engaged;
        p.op.count      = {words_i[dcom_pkg::GREDUCE_N+1], words_i[dcom_pkg::GREDUCE_N]};
        n = l.engaged * segments_i;
        depth = A * levels(l.engaged);
        p.reads[0]  = one(global_region(words_i[dcom_pkg::GREDUCE_SRC]));
        p.writes[0] = one(buffer(words_i[dcom_pkg::GREDUCE_DST]));
        p.uses[plan_pkg::UNIT_GLOBAL_READ] = used(S, n);
        p.uses[plan_pkg::UNIT_FILL]        = used(S + GR + depth, n);
        p.fill_banks = to.banks;
        p.release_at = S + n;
        p.done_at    = S + GR + depth + n + BW;
        p.op.z       = buffer_0_i.address;
        p.op.word    = global_0_i.word;
      end
      dcom_pkg::OP_NARROW, dcom_pkg::OP_SCALE, dcom_pkg::OP_AXPY: begin
        n = (length + LANES - 32'd1) / LANES * PARTS;
        p.reads[0] = one(buffer(words_i[2]));
        p.reads[1] = one(buffer(words_i[3]));
        p.writes[0] = one(buffer(words_i[2]));
        if (opcode == dcom_pkg::OP_AXPY) begin  // z, v, c
          e = BR + M + A;
          p.op.z = buffer_0_i.address;
          p.op.a = buffer_1_i.address;
          p.op.b = buffer_2_i.address;
          p.op.is_scalar = buffer_2_i.kind == tables_pkg::KIND_SCALAR;
          p.reads[2] = one(buffer(words_i[dcom_pkg::AXPY_C]));
        end else begin  // dst, src(, c)
          e = opcode == dcom_pkg::OP_SCALE ? BR + M : BR;
          p.reads[0] = '0;
          p.op.z = buffer_0_i.address;
          p.op.a = buffer_1_i.address;
          p.op.b = buffer_2_i.address;
          p.op.is_scalar = 1'b1;
          if (opcode == dcom_pkg::OP_SCALE) p.reads[2] = one(buffer(words_i[dcom_pkg::SCALE_C]));
        end
        p.uses[plan_pkg::UNIT_LANES]  = used(S, n);
        p.uses[plan_pkg::UNIT_RESULT] = used(S + e, n);
        p.release_at = S + n;
        p.done_at    = S + e + n + BW;
      end
      dcom_pkg::OP_DOT: begin  // a: buffer 0, b: buffer 1
        chunks = (l.round_len + LANES - 32'd1) / LANES;
        n1     = chunks * PARTS;
        n      = l.rounds * n1;
        e      = BR + M + XT + YT + A * levels(chunks);
        r      = (l.chain ? l.clusters - 32'd1 : 32'(l.levels)) * (dcom_pkg::HOP_CYCLES + A);
        p.reads[0]  = one(buffer(words_i[dcom_pkg::DOT_A]));
        p.reads[1]  = one(buffer(words_i[dcom_pkg::DOT_B]));
        p.writes[0] = one(plan_pkg::PART_0 + 32'(words_i[dcom_pkg::DOT_DST]));
        p.uses[plan_pkg::UNIT_LANES]   = used(S, n);
        p.uses[plan_pkg::UNIT_NETWORK] = used(S + e + n1 - 32'd1, n - n1 + 32'd1);
        p.release_at = S + n;
        p.done_at    = S + e + n + r + 32'd1;
        p.op.a    = buffer_0_i.address;
        p.op.b    = buffer_1_i.address;
        p.op.part = words_i[dcom_pkg::DOT_DST];
      end
      dcom_pkg::OP_PUTH, dcom_pkg::OP_PUTW: begin
        p.op.count = l.parts;
        n = (l.parts + PUT - 32'd1) / PUT;
        p.reads[0]  = one(plan_pkg::PART_0 + 32'(words_i[dcom_pkg::PUTH_SRC]));
        p.writes[0] = one(global_region(words_i[dcom_pkg::PUTH_DST]));
        p.uses[plan_pkg::UNIT_GLOBAL_WRITE] = used(S, n);
        p.release_at = S + n;
        p.done_at    = S + n + GW;
        p.op.part = words_i[dcom_pkg::PUTH_SRC];
        p.op.word = global_0_i.word;
      end
      dcom_pkg::OP_BC: begin
        p.op.count = buffer_0_i.elements;
        p.op.start = {words_i[dcom_pkg::BC_START+1], words_i[dcom_pkg::BC_START]};
        n = (buffer_0_i.elements + BUS - 32'd1) / BUS;
        p.reads[0]  = one(global_region(words_i[dcom_pkg::BC_SRC]));
        p.writes[0] = one(buffer(words_i[dcom_pkg::BC_DST]));
        p.uses[plan_pkg::UNIT_GLOBAL_READ] = used(S, n);
        p.uses[plan_pkg::UNIT_FILL]        = used(S + GR, n);
        p.release_at = S + n;
        p.done_at    = S + n + GR + BW;
        p.op.z    = buffer_0_i.address;
        p.op.word = global_0_i.word;
      end
      dcom_pkg::OP_CORR: begin  // z, v, c
        p.op.count = buffer_2_i.elements;
        passes = (buffer_2_i.elements + X - 32'd1) / X;
        n = (length + Y - 32'd1) / Y * passes;
        e = BR + M + XT + A * levels(passes) + A;
        p.reads[0]  = one(buffer(words_i[dcom_pkg::CORR_V]));
        p.reads[1]  = one(buffer(words_i[dcom_pkg::CORR_C]));
        p.reads[2]  = one(buffer(words_i[dcom_pkg::CORR_Z]));
        p.writes[0] = one(buffer(words_i[dcom_pkg::CORR_Z]));
        p.uses[plan_pkg::UNIT_LANES]  = used(S, n);
        p.uses[plan_pkg::UNIT_RESULT] = used(S + e, n);
        p.release_at = S + n;
        p.done_at    = S + e + n + BW;
        p.op.z = buffer_0_i.address;
        p.op.a = buffer_1_i.address;
        p.op.b = buffer_2_i.address;
      end
      dcom_pkg::OP_CSUM: begin  // dst, src
        p.op.count = buffer_1_i.elements;
        n = (buffer_1_i.elements + X - 32'd1) / X;
        e = BR + M + XT + A * levels(n);
        p.reads[0]  = one(buffer(words_i[dcom_pkg::CSUM_SRC]));
        p.writes[0] = one(buffer(words_i[dcom_pkg::CSUM_DST]));
        p.uses[plan_pkg::UNIT_LANES]  = used(S, n);
        p.uses[plan_pkg::UNIT_RESULT] = used(S + e, n);
        p.release_at = S + n;
        p.done_at    = S + e + n + BW;
        p.op.z = buffer_0_i.address;
        p.op.a = buffer_1_i.address;
      end
      dcom_pkg::OP_COMB: begin  // dst: buffer 0, src: vectors, c: buffer 1
        p.op.count   = buffer_1_i.elements;
        p.op.vectors = buffer_1_i.elements;
        passes = (buffer_1_i.elements + X - 32'd1) / X;
        n = buffer_1_i.elements * v * ((carried + Y - 32'd1) / Y);
        e = MEET + M + XT + A * levels(passes);
        p.reads[0]  = {stack_i.resource + 32'(words_i[dcom_pkg::COMB_SRC+1]), buffer_1_i.elements};
        p.reads[1]  = one(buffer(words_i[dcom_pkg::COMB_C]));
        p.writes[0] = one(buffer(words_i[dcom_pkg::COMB_DST]));
        p.uses[plan_pkg::UNIT_PORT]   = used(S, n);
        p.uses[plan_pkg::UNIT_LANES]  = used(S + MEET - BR, n);
        p.uses[plan_pkg::UNIT_RESULT] = used(S + e, n);
        p.release_at = S + MEET - BR + n;
        p.done_at    = S + e + n + BW;
        p.op.z = buffer_0_i.address;
        p.op.b = buffer_1_i.address;
        p.op.bank_row = stack_i.row + 32'(words_i[dcom_pkg::COMB_SRC+1]) * v;
      end
      dcom_pkg::OP_LDI: begin
        p.writes[0] = one(register(words_i[dcom_pkg::LDI_DST]));
        p.op.destination = words_i[dcom_pkg::LDI_DST];
        p.op.value_a  = {words_i[dcom_pkg::LDI_VALUE+1], words_i[dcom_pkg::LDI_VALUE]};
        p.uses[plan_pkg::UNIT_SCALAR] = used(S, 32'd1);
        p.done_at = S + dcom_pkg::SIMPLE_CYCLES;
      end
      dcom_pkg::OP_MUL, dcom_pkg::OP_DIV, dcom_pkg::OP_MAX: begin
        p.reads[0]  = one(register(words_i[dcom_pkg::MUL_A]));
        p.reads[1]  = one(register(words_i[dcom_pkg::MUL_B]));
        p.writes[0] = one(register(words_i[dcom_pkg::MUL_DST]));
        p.register_a  = words_i[dcom_pkg::MUL_A];
        p.register_b  = words_i[dcom_pkg::MUL_B];
        p.op.destination = words_i[dcom_pkg::MUL_DST];
        p.uses[plan_pkg::UNIT_SCALAR] = used(S, opcode == dcom_pkg::OP_DIV ? dcom_pkg::DIVIDE_CYCLES : 32'd1);
        p.done_at = S + (opcode == dcom_pkg::OP_DIV ? dcom_pkg::DIVIDE_CYCLES : dcom_pkg::SIMPLE_CYCLES);
      end
      dcom_pkg::OP_SQRT, dcom_pkg::OP_LOG2: begin
        p.reads[0]  = one(register(words_i[dcom_pkg::SQRT_A]));
        p.writes[0] = one(register(words_i[dcom_pkg::SQRT_DST]));
        p.register_a  = words_i[dcom_pkg::SQRT_A];
        p.op.destination = words_i[dcom_pkg::SQRT_DST];
        p.uses[plan_pkg::UNIT_SCALAR] = used(S, opcode == dcom_pkg::OP_SQRT ? dcom_pkg::SQRT_CYCLES : 32'd1);
        p.done_at = S + (opcode == dcom_pkg::OP_SQRT ? dcom_pkg::SQRT_CYCLES : dcom_pkg::SIMPLE_CYCLES);
      end
      dcom_pkg::OP_STAT: begin
        p.reads[0]  = one(plan_pkg::MATRIX_0 + 32'(words_i[dcom_pkg::STAT_MATRIX]));
        p.writes[0] = one(register(words_i[dcom_pkg::STAT_DST]));
        p.op.matrix   = 32'(words_i[dcom_pkg::STAT_MATRIX]);
        p.op.destination = words_i[dcom_pkg::STAT_DST];
        p.uses[plan_pkg::UNIT_SCALAR] = used(S, 32'd1);
        p.done_at    = S + dcom_pkg::SIMPLE_CYCLES;
        p.release_at = p.done_at;
      end
      dcom_pkg::OP_BRK: begin
        p.reads[0]  = one(register(words_i[dcom_pkg::BRK_X]));
        p.reads[1]  = one(register(words_i[dcom_pkg::BRK_MAX]));
        p.writes[0] = one(plan_pkg::PREDICATE_0 + 32'(words_i[dcom_pkg::BRK_P]));
        p.register_a   = words_i[dcom_pkg::BRK_X];
        p.register_b   = words_i[dcom_pkg::BRK_MAX];
        p.op.predicate = words_i[dcom_pkg::BRK_P];
        p.op.shift     = 32'(words_i[dcom_pkg::BRK_TOLERANCE]);
        p.uses[plan_pkg::UNIT_SCALAR] = used(S, 32'd1);
        p.done_at = S + dcom_pkg::SIMPLE_CYCLES;
      end
      dcom_pkg::OP_CLR: begin
        p.writes[0] = one(plan_pkg::PREDICATE_0 + 32'(words_i[dcom_pkg::CLR_P]));
        p.op.predicate = words_i[dcom_pkg::CLR_P];
        p.uses[plan_pkg::UNIT_SCALAR] = used(S, 32'd1);
        p.done_at = S + dcom_pkg::SIMPLE_CYCLES;
      end
      dcom_pkg::OP_SUM: begin
        p.op.count = {words_i[dcom_pkg::SUM_N+1], words_i[dcom_pkg::SUM_N]};
        p.op.start = {words_i[dcom_pkg::SUM_START+1], words_i[dcom_pkg::SUM_START]};
        groups = (p.op.count + GLOBAL - 32'd1) / GLOBAL;
        p.reads[0]  = one(global_region(words_i[dcom_pkg::SUM_SRC]));
        p.writes[0] = one(register(words_i[dcom_pkg::SUM_DST]));
        p.op.destination = words_i[dcom_pkg::SUM_DST];
        p.op.word     = global_0_i.word;
        p.uses[plan_pkg::UNIT_GLOBAL_READ] = used(S, groups);
        p.uses[plan_pkg::UNIT_SCALAR]      = used(S + GR, groups);
        p.release_at = S + groups;
        p.done_at    = S + GR + groups + F * (levels(machine_pkg::minimum(p.op.count, GLOBAL)) + levels(groups));
      end
      dcom_pkg::OP_SBC: begin
        p.reads[0]  = one(register(words_i[dcom_pkg::SBC_SRC]));
        p.writes[0] = one(buffer(words_i[dcom_pkg::SBC_DST]));
        p.register_a = words_i[dcom_pkg::SBC_SRC];
        p.op.z       = buffer_0_i.address;
        p.uses[plan_pkg::UNIT_SCALAR]       = used(S, 32'd1);
        p.uses[plan_pkg::UNIT_GLOBAL_WRITE] = used(S, 32'd1);
        p.uses[plan_pkg::UNIT_GLOBAL_READ]  = used(S + GW, 32'd1);
        p.uses[plan_pkg::UNIT_FILL]         = used(S + GW + GR, 32'd1);
        p.done_at = S + 32'd1 + GW + GR + BW;
      end
      dcom_pkg::OP_START: begin  // dst: buffer 0, with layout a and b
        p.op.kind   = words_i[dcom_pkg::START_KIND][2:0];
        p.op.shift  = 32'(words_i[dcom_pkg::START_SHIFT]);
        p.op.count  = l.len;
        p.op.matrix = 32'(words_i[dcom_pkg::START_MATRIX]);
        p.op.z      = buffer_0_i.address;
        n1 = p.op.kind == 3'd0 ? (l.len + GLOBAL - 32'd1) / GLOBAL : 32'd0;
        n  = segments_i;
        p.op.delay  = n1;
        p.reads[0]  = one(plan_pkg::MATRIX_0 + 32'(words_i[dcom_pkg::START_MATRIX]));
        p.reads[1]  = one(register(words_i[dcom_pkg::START_EXPONENT]));
        p.writes[0] = one(buffer(words_i[dcom_pkg::START_DST]));
        p.register_a   = words_i[dcom_pkg::START_EXPONENT];
        p.has_exponent = 1'b1;
        p.uses[plan_pkg::UNIT_STATISTICS]   = used(S, n1 + n);
        p.uses[plan_pkg::UNIT_GLOBAL_WRITE] = used(S + n1, n);
        p.uses[plan_pkg::UNIT_GLOBAL_READ]  = used(S + n1 + GW, n);
        p.uses[plan_pkg::UNIT_FILL]         = used(S + n1 + GW + GR, n);
        p.release_at = S + n1 + n;
        p.done_at    = S + n1 + n + GW + GR + BW;
      end
      dcom_pkg::OP_SVD, dcom_pkg::OP_TSVD: begin
        p.op.k     = 32'(words_i[dcom_pkg::SVD_K]);
        p.op.r     = 32'(words_i[dcom_pkg::SVD_R]);
        p.op.matrix = 32'(words_i[dcom_pkg::SVD_MATRIX]);
        p.op.word   = global_0_i.word;
        p.op.word2  = global_1_i.word;
        p.register_a = words_i[dcom_pkg::SVD_EXPONENT];
        n = (p.op.k * p.op.k * p.op.k * dcom_pkg::SVD_MILLICYCLES + 32'd999) / 32'd1000;
        p.reads[0] = one(register(words_i[dcom_pkg::SVD_EXPONENT]));
        if (opcode == dcom_pkg::OP_TSVD) begin
          p.op.alpha = 32'(words_i[dcom_pkg::TSVD_T]);
          p.op.band  = 32'(words_i[dcom_pkg::TSVD_BAND]);
          p.reads[1] = {register(words_i[dcom_pkg::TSVD_T]), p.op.band * p.op.k + p.op.k - p.op.band};
        end else begin
          p.op.alpha     = 32'(words_i[dcom_pkg::SVD_ALPHA]);
          p.op.beta      = 32'(words_i[dcom_pkg::SVD_BETA]);
          p.op.predicate = words_i[dcom_pkg::SVD_P];
          p.reads[1] = {register(words_i[dcom_pkg::SVD_ALPHA]), p.op.k};
          p.reads[2] = {register(words_i[dcom_pkg::SVD_BETA]), p.op.k - 32'd1};
          p.reads[3] = one(plan_pkg::PREDICATE_0 + 32'(words_i[dcom_pkg::SVD_P]));
        end
        p.writes[0] = one(global_region(words_i[dcom_pkg::SVD_U]));
        p.writes[1] = one(global_region(words_i[dcom_pkg::SVD_V]));
        p.uses[plan_pkg::UNIT_SVD] = used(S, n);
        p.done_at = S + n + dcom_pkg::SVD_ROUND_TRIP;
      end
      dcom_pkg::OP_LOOP: begin
        p.loop_count  = {words_i[dcom_pkg::LOOP_COUNT+1], words_i[dcom_pkg::LOOP_COUNT]};
        p.loop_length = {words_i[dcom_pkg::LOOP_LENGTH+1], words_i[dcom_pkg::LOOP_LENGTH]};
      end
      default: ;  // bar
    endcase
    // Sources may be overwritten when the op is done, where nothing is said.
    if (p.release_at == '0) p.release_at = p.done_at;
    plan_o = p;
  end

  logic unused;
  assign unused = ^{words_i, buffer_2_i, chunks, matrix_i, buffer_0_i, buffer_1_i, stack_i};

endmodule
