// Runs the harness in a Verilator model: gives the clock, holds the memory, writes the trace.
//
// Usage: simulator +plusarg=value...; harness.v lists the plusargs. With waves built in,
// +waves=FILE records them.

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

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

constexpr uint32_t PAGE_BITS = 12;
constexpr uint32_t PAGE_WORDS = 1u << (PAGE_BITS - 2);

// Where each page of the address space lies, or null.
std::vector<uint32_t *> pages(1u << (32 - PAGE_BITS));
std::vector<std::unique_ptr<uint32_t[]>> regions;

struct Region {
    uint32_t base, words;
    uint32_t *data;
};
std::vector<Region> map;

bool plusarg(VerilatedContext &context, const std::string &name, std::string &value) {
    const std::string found = context.commandArgsPlusMatch((name + "=").c_str());
    if (found.empty()) return false;
    value = found.substr(name.size() + 2);
    return true;
}

[[noreturn]] void fail(const std::string &what) {
    std::fprintf(stderr, "harness: %s\n", what.c_str());
    std::exit(3);
}

void make_memory(VerilatedContext &context) {
    for (int n = 0; n < 8; ++n) {
        const std::string name = "region" + std::to_string(n);
        std::string base, size;
        if (!plusarg(context, name + "_base", base) || !plusarg(context, name + "_size", size)) continue;
        const uint64_t at = std::stoull(base, nullptr, 16), bytes = std::stoull(size, nullptr, 16);
        if (at % 4096 || bytes % 4096 || at + bytes > (1ull << 32)) fail(name + " is not made of whole pages");
        // calloc takes pages from the system when they are touched first.
        auto *data = static_cast<uint32_t *>(std::calloc(bytes / 4 + 1, 4));
        if (!data) fail("there is no memory for " + name);
        map.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(bytes / 4), data});
        for (uint64_t page = 0; page < bytes >> PAGE_BITS; ++page)
            pages[(at >> PAGE_BITS) + page] = data + page * PAGE_WORDS;
    }
}

uint32_t *word_at_index(uint64_t index) {
    for (const Region &region : map) {
        if (index < region.words) return region.data + index;
        index -= region.words;
    }
    fail("the image is larger than the memory");
}

// The format of $readmemh: words in hexadecimal, and @index.
void load_image(const std::string &name) {
    std::FILE *file = std::fopen(name.c_str(), "r");
    if (!file) fail("cannot open the image " + name);
    char token[64];
    uint64_t index = 0;
    while (std::fscanf(file, "%63s", token) == 1) {
        if (token[0] == '@') index = std::strtoull(token + 1, nullptr, 16);
        else *word_at_index(index++) = static_cast<uint32_t>(std::strtoul(token, nullptr, 16));
    }
    std::fclose(file);
}

constexpr size_t TRACE_WORDS = 20;
std::vector<uint32_t> records;
size_t recorded = 0;
std::FILE *trace_file = nullptr;

void flush_trace() {
    if (std::fwrite(records.data(), 4, recorded, trace_file) != recorded) fail("cannot write the trace");
    recorded = 0;
}

bool done = false;
volatile std::sig_atomic_t interrupted = 0;
void interrupt(int) { interrupted = 1; }

}  // namespace

extern "C" void harness_done() { done = true; }

extern "C" unsigned int harness_read(unsigned int address, unsigned int *data) {
    const uint32_t *page = pages[address >> PAGE_BITS];
    *data = page ? page[(address >> 2) % PAGE_WORDS] : 0;
    return !page;
}

extern "C" unsigned int harness_write(unsigned int address, unsigned int strobe, unsigned int data) {
    uint32_t *page = pages[address >> PAGE_BITS];
    if (!page) return 1;
    static const uint32_t masks[16] = {
        0x00000000, 0x000000ff, 0x0000ff00, 0x0000ffff, 0x00ff0000, 0x00ff00ff, 0x00ffff00, 0x00ffffff,
        0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ffff, 0xffff0000, 0xffff00ff, 0xffffff00, 0xffffffff};
    const uint32_t mask = masks[strobe & 15];
    uint32_t &word = page[(address >> 2) % PAGE_WORDS];
    word = (word & ~mask) | (data & mask);
    return 0;
}

extern "C" unsigned int harness_fetch(unsigned int address, unsigned long long *data) {
    const uint32_t *page = pages[address >> PAGE_BITS];
    if (!page) {
        *data = 0;
        return 1;
    }
    const uint32_t at = (address >> 2) % PAGE_WORDS;
    // A pair of words is aligned, so that its second lies in the same page.
    *data = page[at] | static_cast<uint64_t>(page[at | 1]) << 32;
    return 0;
}

extern "C" unsigned int harness_trace_open(const char *name) {
    while (*name && static_cast<unsigned char>(*name) <= ' ') ++name;
    trace_file = std::fopen(name, "wb");
    if (!trace_file) fail(std::string("cannot write the trace ") + name);
    records.resize(TRACE_WORDS * 16384);
    return 0;
}

extern "C" void harness_trace_close() {
    flush_trace();
    std::fclose(trace_file);
}

extern "C" void harness_trace(
    unsigned int flags, unsigned int pc, unsigned int insn, unsigned int rd_wdata, unsigned int mem_addr,
    unsigned int mem_rdata, unsigned int mem_wdata, unsigned int pc_wdata, unsigned int mstatus,
    unsigned int mepc, unsigned int mcause, unsigned int mtval, unsigned int mie, unsigned int mip,
    unsigned int mtvec, unsigned int mscratch, unsigned int order, unsigned long long cycle) {
    const uint32_t record[TRACE_WORDS] = {
        flags, pc, insn, rd_wdata, mem_addr, mem_rdata, mem_wdata, pc_wdata, static_cast<uint32_t>(cycle),
        mstatus, mepc, mcause, mtval, mie, mip, mtvec, mscratch, order, 0, static_cast<uint32_t>(cycle >> 32)};
    std::memcpy(&records[recorded], record, sizeof record);
    recorded += TRACE_WORDS;
    if (recorded == records.size()) flush_trace();
}

int main(int argc, char **argv) {
    const auto context = std::make_unique<VerilatedContext>();
    context->commandArgs(argc, argv);
    make_memory(*context);
    std::string name;
    if (plusarg(*context, "image", name)) load_image(name);
#if VM_TRACE
    const bool waved = plusarg(*context, "waves", name);
    if (waved) context->traceEverOn(true);
#endif
    const auto top = std::make_unique<Vtop>(context.get());
#if VM_TRACE
    Waves waves;
    uint64_t time = 0;
    if (waved) {
        top->trace(&waves, 99);
        waves.open(name.c_str());
    }
#endif
    std::signal(SIGINT, interrupt);
    std::signal(SIGTERM, interrupt);
    while (!done && !context->gotFinish()) {
        top->stop = interrupted;
        top->clk = 0;
        top->eval();
#if VM_TRACE
        if (waved) waves.dump(time++);
#endif
        top->clk = 1;
        top->eval();
#if VM_TRACE
        if (waved) waves.dump(time++);
#endif
    }
    top->final();
#if VM_TRACE
    if (waved) waves.close();
#endif
    std::fflush(stdout);
    return 0;
}
