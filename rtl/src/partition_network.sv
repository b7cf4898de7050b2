// The partition network: sums one word per cluster over the clusters of every partition of a window, by a
// tree of adjacent pairs or as a chain, in the order of the deal; REDUCE words of each cluster at a time.
//
// A level or link takes an addition and a hop. Partition k of a tree has the leaves from k 2^levels on,
// of a chain those from k g on. What comes in a cycle belongs to one op; ops with fewer levels overtake.
module partition_network #(
  localparam int unsigned CLUSTERS = machine_pkg::CLUSTERS,
  localparam int unsigned REDUCE   = machine_pkg::REDUCE,
  localparam int unsigned WORD     = machine_pkg::WORD,
  localparam int unsigned LEVELS   = machine_pkg::NETWORK_LEVELS,
  localparam int unsigned LEAVES   = 2 ** (LEVELS + 1),
  localparam int unsigned OUTPUTS  = LEVELS + 1 + CLUSTERS
) (
  input  logic                                             clk_i,
  input  logic                                             rst_ni,
  input  logic                                             valid_i,
  input  machine_pkg::tag_t                                tag_i,
  input  machine_pkg::layout_t                             layout_i,
  input  machine_pkg::deal_t [CLUSTERS-1:0]                deals_i,
  input  logic [CLUSTERS-1:0][REDUCE-1:0][WORD-1:0]        words_i,
  // Sums of each partition, from each depth at which a sum can be complete.
  output logic [OUTPUTS-1:0]                               valid_o,
  output machine_pkg::tag_t [OUTPUTS-1:0]                  tag_o,
  output logic [OUTPUTS-1:0][CLUSTERS-1:0][REDUCE-1:0][WORD-1:0] sums_o
);
  localparam int unsigned ADD  = machine_pkg::ADD;
  localparam int unsigned HOP  = dcom_pkg::HOP_CYCLES;
  localparam int unsigned STEP = ADD + HOP;

  logic [LEAVES-1:0][REDUCE-1:0][WORD-1:0]   leaves;
  logic [CLUSTERS-1:0][REDUCE-1:0][WORD-1:0] links;
  logic [CLUSTERS-1:0]                       starts;  // the first of a partition in the chain
  always_comb begin
    leaves = '0;
    links  = '0;
    starts = '0;
    for (int unsigned i = 0; i < CLUSTERS; i++) begin
      if (deals_i[i].held) begin
        leaves[((deals_i[i].partition<<layout_i.levels)+deals_i[i].position)%LEAVES]              = words_i[i];
        links[(deals_i[i].partition*layout_i.clusters+deals_i[i].position)%CLUSTERS]              = words_i[i];
        if (deals_i[i].position == '0) starts[(deals_i[i].partition*layout_i.clusters)%CLUSTERS] = 1'b1;
      end
    end
  end

  // ---- Tree ----

  localparam int unsigned TAG = $bits(machine_pkg::tag_t) + 7;
  logic [LEVELS:0][LEAVES-1:0][REDUCE-1:0][WORD-1:0] nodes;
  logic [LEVELS:0]                                   tree_valid;
  logic [LEVELS:0][TAG-1:0]                          tree_tag;
  assign nodes[0]      = leaves;
  assign tree_valid[0] = valid_i & ~layout_i.chain;
  assign tree_tag[0]   = {layout_i.levels, 1'b0, tag_i};
  for (genvar l = 0; l < LEVELS; l++) begin : gen_level
    for (genvar i = 0; i < LEAVES; i++) begin : gen_node
      if (i < LEAVES >> (l + 1)) begin : gen_sum
        for (genvar w = 0; w < REDUCE; w++) begin : gen_word
          logic [WORD-1:0] sum;
          fp_add #(
            .WIDTH  (WORD),
            .LATENCY(ADD)
          ) i_add (
            .clk_i,
            .a_i  (nodes[l][2*i][w]),
            .b_i  (nodes[l][2*i+1][w]),
            .sum_o(sum)
          );
          delay #(
            .WIDTH  (WORD),
            .LATENCY(HOP)
          ) i_hop (
            .clk_i,
            .data_i(sum),
            .data_o(nodes[l+1][i][w])
          );
        end
      end else begin : gen_none
        assign nodes[l+1][i] = '0;
      end
    end
    delay_line #(
      .WIDTH  (TAG),
      .LATENCY(STEP)
    ) i_tag (
      .clk_i,
      .rst_ni,
      .valid_i(tree_valid[l] & (32'(tree_tag[l][TAG-1-:6]) != l)),
      .data_i (tree_tag[l]),
      .valid_o(tree_valid[l+1]),
      .data_o (tree_tag[l+1])
    );
  end
  for (genvar l = 0; l <= LEVELS; l++) begin : gen_tree_output
    assign valid_o[l] = tree_valid[l] & (32'(tree_tag[l][TAG-1-:6]) == l);
    assign tag_o[l]   = tree_tag[l][TAG-8:0];
    for (genvar i = 0; i < CLUSTERS; i++) begin : gen_sum
      assign sums_o[l][i] = nodes[l][i];
    end
  end

  // ---- Chain: link n holds the sum of n + 1 clusters of every partition, at the place of the last one ----

  logic [CLUSTERS-1:0][CLUSTERS-1:0][REDUCE-1:0][WORD-1:0] running, waiting;
  logic [CLUSTERS-1:0][CLUSTERS-1:0]                       heads;  // of the partitions
  logic [CLUSTERS-1:0]                                     chain_valid;
  logic [CLUSTERS-1:0][31:0]                               chain_length;
  logic [CLUSTERS-1:0][$bits(machine_pkg::tag_t)-1:0]      chain_tag;
  assign running[0]      = links;
  assign waiting[0]      = links;
  assign heads[0]        = starts;
  assign chain_valid[0]  = valid_i & layout_i.chain;
  assign chain_length[0] = layout_i.clusters;
  assign chain_tag[0]    = tag_i;
  for (genvar n = 1; n < CLUSTERS; n++) begin : gen_link
    logic [CLUSTERS-1:0][REDUCE-1:0][WORD-1:0] next_running;
    for (genvar i = 0; i < CLUSTERS; i++) begin : gen_place
      if (i >= n) begin : gen_sum
        for (genvar w = 0; w < REDUCE; w++) begin : gen_word
          logic [WORD-1:0] sum;
          fp_add #(
            .WIDTH  (WORD),
            .LATENCY(ADD)
          ) i_add (
            .clk_i,
            .a_i  (running[n-1][i-1][w]),
            .b_i  (waiting[n-1][i][w]),
            .sum_o(sum)
          );
          delay #(
            .WIDTH  (WORD),
            .LATENCY(HOP)
          ) i_hop (
            .clk_i,
            .data_i(sum),
            .data_o(next_running[i][w])
          );
        end
      end else begin : gen_none
        assign next_running[i] = '0;
      end
    end
    assign running[n] = next_running;
    delay #(
      .WIDTH  (CLUSTERS * (REDUCE * WORD + 1)),
      .LATENCY(STEP)
    ) i_waiting (
      .clk_i,
      .data_i({waiting[n-1], heads[n-1]}),
      .data_o({waiting[n], heads[n]})
    );
    delay_line #(
      .WIDTH  (32 + $bits(machine_pkg::tag_t)),
      .LATENCY(STEP)
    ) i_tag (
      .clk_i,
      .rst_ni,
      .valid_i(chain_valid[n-1] & (chain_length[n-1] != n)),
      .data_i ({chain_length[n-1], chain_tag[n-1]}),
      .valid_o(chain_valid[n]),
      .data_o ({chain_length[n], chain_tag[n]})
    );
  end
  for (genvar n = 0; n < CLUSTERS; n++) begin : gen_chain_output
    logic [CLUSTERS-1:0][REDUCE-1:0][WORD-1:0] sums;
    // The sum of partition k ends at its last place, k g + g - 1.
    always_comb begin
      for (int unsigned k = 0; k < CLUSTERS; k++) begin
        sums[k] = running[n][(k*(n+1)+n)%CLUSTERS];
      end
    end
    assign valid_o[LEVELS+1+n] = chain_valid[n] & (chain_length[n] == n + 1);
    assign tag_o[LEVELS+1+n]   = chain_tag[n];
    assign sums_o[LEVELS+1+n]  = sums;
  end

  logic unused;
  assign unused = ^{layout_i, heads, waiting};

endmodule
