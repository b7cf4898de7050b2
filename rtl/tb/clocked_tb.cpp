// A clock for a bench that makes its own inputs.
//
//   bench CYCLES SEED

#include <cstdio>
#include <cstdlib>

#include "Vbench.h"
#include "verilated.h"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: bench CYCLES SEED\n");
        return 2;
    }
    VerilatedContext context;
    context.randSeed(std::atoi(argv[2]));
    Vbench top{&context};
    const unsigned long cycles = std::strtoul(argv[1], nullptr, 10);
    for (unsigned long half = 0; half < 2 * cycles; ++half) {
        top.clk_i = half & 1;
        top.eval();
    }
    top.final();
    return 0;
}
