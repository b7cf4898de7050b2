// Which elements of a window a cluster holds, and where: they are consecutive in its buffer, since the
// blocks of a slice are dealt in turn. Combinational.
module scatter #(
  localparam int unsigned LANES = machine_pkg::LANES,
  localparam int unsigned BUS   = machine_pkg::BUS
) (
  input  machine_pkg::window_t   window_i,
  input  machine_pkg::deal_t     deal_i,
  input  logic [BUS-1:0][15:0]   words_i,
  output logic                   valid_o,
  output logic [31:0]            base_o,    // address of the first one, from the start of the vector
  output logic [LANES-1:0]       enable_o,  // element i of the run is there
  output logic [LANES-1:0][15:0] data_o
);

  logic [BUS-1:0] mine;
  always_comb begin
    valid_o  = 1'b0;
    base_o   = '0;
    enable_o = '0;
    data_o   = '0;
    for (int unsigned j = 0; j < BUS; j++) begin
      mine[j] = window_i.valid & (j < window_i.elements) & deal_i.held
              & (deal_i.partition == window_i.partition) & (deal_i.position == window_i.owner[j]);
      if (mine[j] && !valid_o) begin
        valid_o = 1'b1;
        base_o  = window_i.local_address[j];
      end
    end
    for (int unsigned j = 0; j < BUS; j++) begin
      if (mine[j]) begin
        enable_o[(window_i.local_address[j]-base_o)%LANES] = 1'b1;
        data_o[(window_i.local_address[j]-base_o)%LANES]   = words_i[j];
      end
    end
  end

  // Not all fields are of use here.
  logic unused;
  assign unused = ^window_i;

endmodule
