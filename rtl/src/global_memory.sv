// The global broadcast memory's words: one write and one read of up to WIDTH consecutive words per cycle,
// and a write port of one word for the host's small SVD. Words lie in WIDTH memories in turn, which clear
// themselves after a reset.
//
// A read asked for in cycle c gives its words in cycle c + READ_LATENCY; it sees the writes presented in
// cycle c - WRITE_LATENCY and before. A word holds the binary32 pattern of a value.
module global_memory #(
  parameter int unsigned WORDS         = 64,
  parameter int unsigned WIDTH         = 4,
  parameter int unsigned READ_LATENCY  = 1,
  parameter int unsigned WRITE_LATENCY = 1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic [31:0]            read_word_i,
  output logic [WIDTH-1:0][31:0] read_data_o,
  input  logic                   write_valid_i,
  input  logic [31:0]            write_word_i,
  input  logic [31:0]            write_words_i,
  input  logic [WIDTH-1:0][31:0] write_data_i,
  input  logic                   host_valid_i,
  input  logic [31:0]            host_word_i,
  input  logic [31:0]            host_data_i
);
  localparam int unsigned ROWS      = (WORDS + WIDTH - 1) / WIDTH;
  localparam int unsigned ROW_WIDTH = ROWS > 1 ? $clog2(ROWS) : 1;

  if (READ_LATENCY == 0 || WRITE_LATENCY == 0) begin : gen_latency_check
    $error("global_memory: reads and writes take at least one cycle");
  end

  logic                   valid;
  logic [31:0]            word, words;
  logic [WIDTH-1:0][31:0] data;
  delay_line #(
    .WIDTH  (64 + 32 * WIDTH),
    .LATENCY(WRITE_LATENCY - 1)
  ) i_write (
    .clk_i,
    .rst_ni,
    .valid_i(write_valid_i),
    .data_i ({write_word_i, write_words_i, write_data_i}),
    .valid_o(valid),
    .data_o ({word, words, data})
  );

  logic                 clears;
  logic [ROW_WIDTH-1:0] cleared_row;
  row_clearer #(
    .ROWS(ROWS)
  ) i_clearer (
    .clk_i,
    .rst_ni,
    .valid_o(clears),
    .row_o  (cleared_row)
  );

  logic [WIDTH-1:0][31:0] column, turned;
  for (genvar i = 0; i < WIDTH; i++) begin : gen_memory
    logic [31:0] memory_q[ROWS];
    logic [31:0] read_row, place;
    assign read_row  = read_word_i / WIDTH + 32'(i < read_word_i % WIDTH);
    assign column[i] = memory_q[read_row[ROW_WIDTH-1:0]];
    assign place     = (i + WIDTH - word % WIDTH) % WIDTH;
    always_ff @(posedge clk_i) begin
      if (clears) memory_q[cleared_row] <= '0;
      if (valid && place < words) memory_q[ROW_WIDTH'((word + place) / WIDTH)] <= data[place%WIDTH];
      if (host_valid_i && host_word_i % WIDTH == i) memory_q[ROW_WIDTH'(host_word_i / WIDTH)] <= host_data_i;
    end
    assign turned[i] = column[(read_word_i%WIDTH+i)%WIDTH];
    logic unused;
    assign unused = ^read_row;
  end
  delay #(
    .WIDTH  (32 * WIDTH),
    .LATENCY(READ_LATENCY)
  ) i_read (
    .clk_i,
    .data_i(turned),
    .data_o(read_data_o)
  );

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) !write_valid_i || write_word_i + write_words_i <= WORDS)
  else $error("global_memory: write to words %0d and %0d on of %0d", write_word_i, write_words_i, WORDS);
`endif

endmodule
