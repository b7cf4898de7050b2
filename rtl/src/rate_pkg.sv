// A rate of link or memory: `bytes` in `cycles`.
package rate_pkg;
  typedef struct packed {
    logic [31:0] bytes;
    logic [31:0] cycles;
  } rate_t;
endpackage
