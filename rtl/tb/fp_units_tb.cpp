// Feeds operand pairs to the arithmetic units, one pair per cycle, and takes the results LATENCY cycles later.
//
//   fp_units_tb LATENCY INPUT OUTPUT
//
// INPUT: records of four little-endian words a, b, exponent, power. The units of binary16 take the low half of a and b.
// OUTPUT: per record twelve words: product, exact product, sum16, sum32, a rounded to binary16, low half of a widened, binary32
// product, floor of the logarithm of a, mantissa and exponent of a, a as an exponent, a 2^power in binary16.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vfp_units_tb.h"
#include "open.h"
#include "verilated.h"

struct Pair {
    uint32_t a, b;
    int32_t exponent, power;
};

struct Results {
    uint32_t words[12];
};

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: fp_units_tb LATENCY INPUT OUTPUT\n");
        return 2;
    }
    const size_t latency = std::strtoul(argv[1], nullptr, 10);
    FILE* input = open(argv[2], "rb");
    FILE* output = open(argv[3], "wb");
    std::vector<Pair> pairs;
    for (Pair pair; std::fread(&pair, sizeof pair, 1, input) == 1;) pairs.push_back(pair);

    VerilatedContext context;
    Vfp_units_tb top{&context};
    for (size_t cycle = 0; cycle < pairs.size() + latency; ++cycle) {
        const Pair& pair = pairs[cycle < pairs.size() ? cycle : 0];
        top.a_i = pair.a;
        top.b_i = pair.b;
        top.exponent_i = static_cast<uint8_t>(pair.exponent);
        top.power_i = static_cast<uint32_t>(pair.power) & 0x1fffff;
        top.clk_i = 0;
        top.eval();
        if (cycle >= latency) {
            const Results results{{top.product_o, top.exact_o, top.sum16_o, top.sum32_o, top.rounded_o, top.widened_o,
                                   top.product32_o, top.logarithm_o, top.mantissa_o, top.scale_o, top.integer_o, top.scaled_o}};
            std::fwrite(&results, sizeof results, 1, output);
        }
        top.clk_i = 1;
        top.eval();
    }
    top.final();
    return std::fclose(output) == 0 ? 0 : 1;
}
