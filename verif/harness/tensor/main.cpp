// Runs the harness in a Verilator model: gives the clock until the harness ends.
//
// Usage: simulator +plusarg=value...; README.md lists the plusargs. With waves built in,
// +waves=FILE records them.

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "Vtop.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Waves = VerilatedFstC;
#elif VM_TRACE
#include "verilated_vcd_c.h"
using Waves = VerilatedVcdC;
#endif

namespace {
volatile std::sig_atomic_t interrupted = 0;
void interrupt(int) { interrupted = 1; }
}  // namespace

int main(int argc, char **argv) {
    const auto context = std::make_unique<VerilatedContext>();
    context->commandArgs(argc, argv);
#if VM_TRACE
    const std::string found = context->commandArgsPlusMatch("waves=");
    if (!found.empty()) context->traceEverOn(true);
#endif
    const auto top = std::make_unique<Vtop>(context.get());
#if VM_TRACE
    Waves waves;
    uint64_t time = 0;
    if (!found.empty()) {
        top->trace(&waves, 99);
        waves.open(found.substr(7).c_str());
    }
#endif
    std::signal(SIGINT, interrupt);
    std::signal(SIGTERM, interrupt);
    while (!context->gotFinish()) {
        top->stop = interrupted;
        for (const int level : {0, 1}) {
            top->clk = level;
            top->eval();
#if VM_TRACE
            if (!found.empty()) waves.dump(time++);
#endif
        }
    }
    top->final();
#if VM_TRACE
    if (!found.empty()) waves.close();
#endif
    std::fflush(stdout);
    return 0;
}
