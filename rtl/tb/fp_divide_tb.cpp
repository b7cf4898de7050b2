// Feeds operand pairs to division and square root, one after the other.
//
//   fp_divide_tb CYCLES INPUT OUTPUT
//
// INPUT: records of two little-endian words a, b. OUTPUT: per record two words: a / b, the root of a.
//
// Results are taken in the first cycle in which the scalar unit would, CYCLES after the start, and, of two records in three, one and
// two cycles later, as they have to stay; the next start is in the same cycle. Between starts the operands are others.

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "Vfp_divide_tb.h"
#include "open.h"
#include "verilated.h"

static void cycle(Vfp_divide_tb& top) {
    top.clk_i = 0;
    top.eval();
    top.clk_i = 1;
    top.eval();
}

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: fp_divide_tb CYCLES INPUT OUTPUT\n");
        return 2;
    }
    const size_t cycles = std::strtoul(argv[1], nullptr, 10);
    FILE* input = open(argv[2], "rb");
    FILE* output = open(argv[3], "wb");
    VerilatedContext context;
    Vfp_divide_tb top{&context};
    uint32_t pair[2];
    for (size_t number = 0; std::fread(pair, sizeof pair, 1, input) == 1; ++number) {
        top.start_i = 1;
        top.a_i = pair[0];
        top.b_i = pair[1];
        cycle(top);
        top.start_i = 0;
        top.a_i = ~pair[1];
        top.b_i = pair[0] ^ 0x5a5a5a5a;
        for (size_t i = 1; i < cycles + number % 3; ++i) cycle(top);
        const uint32_t results[2] = {top.quotient_o, top.root_o};
        std::fwrite(results, sizeof results, 1, output);
    }
    top.final();
    return std::fclose(output) == 0 ? 0 : 1;
}
