// Clock and reset for dcom_tb, and the processor time at the end; everything else is in the bench itself.
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>

#include "Vdcom_tb.h"
#include "verilated.h"

int main(int argc, char **argv) {
  const auto context = std::make_unique<VerilatedContext>();
  context->commandArgs(argc, argv);
  // Nothing has a value until the machine gives it one.
  context->randReset(2);
  const auto bench = std::make_unique<Vdcom_tb>(context.get());
  bench->clk_i = 0;
  bench->rst_ni = 0;
  bench->eval();
  for (std::uint64_t half = 0; !context->gotFinish(); ++half) {
    context->timeInc(1);
    bench->clk_i = half & 1;
    if (half == 6) bench->rst_ni = 1;
    bench->eval();
  }
  bench->final();
  std::printf("processor %.0f\n", 1e6 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC);
  return 0;
}
