// Runs the compute engine in a Verilator model on memories of its own, with grants drawn by a seed.
//
// Verilator writes two underscores of a name as ___05F.
//
// Usage: simulator BATCH RESULT. Both are binary, little-endian; harness.py writes and reads them.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

namespace {

struct Header {
    uint32_t commands, activation_words, weight_words, array;
    uint32_t seed, read_grant, weight_grant, write_grant;  // of 256 cycles how many are granted
    uint32_t banked;  // 1: a write is not granted while a read has its bank, of four
    uint32_t limit;
};

struct Command {
    uint32_t barrier;    // 1: all before must be done
    uint32_t delay;      // cycles to wait after the one before was taken
    uint32_t words[20];  // as in a program
};

struct Times {
    uint32_t taken, started, done;
};

Vtop *top;

int fail(const std::string &what, uint64_t cycle) {
    fprintf(stderr, "cycle %llu: %s\n", (unsigned long long)cycle, what.c_str());
    return 1;
}

template <typename T> void get(const T &port, void *to, size_t bytes) { memcpy(to, &port, bytes); }
template <typename T> void put(T &port, const void *from, size_t bytes) { memcpy(&port, from, bytes); }

}  // namespace

int main(int argc, char **argv) {
    Verilated::commandArgs(argc, argv);
    FILE *file = fopen(argv[1], "rb");
    Header header;
    if (!file || fread(&header, sizeof header, 1, file) != 1) return fail("no batch", 0);
    std::vector<Command> commands(header.commands);
    const size_t word = header.array, wide = 2 * header.array;
    std::vector<uint8_t> activation(header.activation_words * word), weight(header.weight_words * wide);
    if (fread(commands.data(), sizeof(Command), commands.size(), file) != commands.size() ||
        fread(activation.data(), 1, activation.size(), file) != activation.size() ||
        fread(weight.data(), 1, weight.size(), file) != weight.size())
        return fail("batch cut short", 0);
    fclose(file);

    std::mt19937 random(header.seed);
    auto chance = [&](uint32_t of256) { return (random() & 255) < of256; };
    auto junk = [&](void *to, size_t bytes) {
        for (size_t i = 0; i < bytes; i++) ((uint8_t *)to)[i] = random();
    };
    top = new Vtop;
    std::vector<Times> times(header.commands, Times{0, 0, 0});
    uint64_t counters[5] = {0, 0, 0, 0, 0};
    size_t next = 0, started = 0, done = 0;
    uint32_t delay = 0;
    bool offering = false;
    std::vector<uint8_t> read_data(4 * word), weight_data(wide), write_data(2 * word);
    const uint64_t reset = 2;
    uint64_t cycle = 0;
    for (; done < commands.size(); cycle++) {
        if (cycle > header.limit) return fail("nothing ends", cycle);
        top->clk = 0;
        top->rst = cycle < reset;
        if (!offering && cycle >= reset && next < commands.size()) {
            if (delay)
                delay--;
            else
                offering = !commands[next].barrier || done == next;
        }
        top->command___05Fvalid = offering;
        if (offering)
            put(top->command___05Fpayload, commands[next].words, sizeof commands[next].words);
        else
            junk(&top->command___05Fpayload, sizeof commands[0].words);
        put(top->activations___05Fdata, read_data.data(), read_data.size());
        put(top->weights___05Fdata, weight_data.data(), weight_data.size());
        top->activations___05Fready = chance(header.read_grant);
        top->weights___05Fready = chance(header.weight_grant);
        top->results___05Fready = chance(header.write_grant);
        top->eval();
        if (header.banked && top->activations___05Fvalid && top->activations___05Fready && top->results___05Fvalid) {
            unsigned reads = 0, writes = 0;
            for (unsigned i = 0; i < top->activations___05Fcount; i++)
                reads |= 1u << ((top->activations___05Faddress + i) & 3);
            for (unsigned i = 0; i < top->results___05Fcount; i++)
                writes |= 1u << ((top->results___05Faddress + i) & 3);
            if (reads & writes) top->results___05Fready = 0;
            top->eval();
        }
        if (cycle >= reset) {
            junk(read_data.data(), read_data.size());
            junk(weight_data.data(), weight_data.size());
            if (top->activations___05Fvalid && top->activations___05Fready) {
                if (top->activations___05Fcount < 1 || top->activations___05Fcount > 4)
                    return fail("a read of no words", cycle);
                for (size_t i = 0; i < top->activations___05Fcount; i++) {
                    size_t at = (top->activations___05Faddress + i) % header.activation_words;
                    memcpy(&read_data[i * word], &activation[at * word], word);
                }
            }
            if (top->weights___05Fvalid && top->weights___05Fready)
                memcpy(weight_data.data(), &weight[top->weights___05Faddress * wide], wide);
            if (top->results___05Fvalid && top->results___05Fready) {
                get(top->results___05Fdata, write_data.data(), write_data.size());
                const size_t count = top->results___05Fcount, at = top->results___05Faddress;
                if (count < 1 || count > 2 || at + count > header.activation_words)
                    return fail("a write of no words, or beyond the memory", cycle);
                memcpy(&activation[at * word], write_data.data(), count * word);
            }
            if (top->command___05Ferror) return fail("an error is reported", cycle);
            if (offering && top->command___05Fready) {
                times[next].taken = cycle;
                next++;
                offering = false;
                if (next < commands.size()) delay = commands[next].delay;
            }
            if (top->command___05Fstarted) {
                if (started >= next) return fail("a command starts that was not taken", cycle);
                if (top->command___05Fstarted_tag != commands[started].words[0] >> 16)
                    return fail("wrong tag of a start", cycle);
                times[started++].started = cycle;
            }
            if (top->command___05Fdone) {
                if (done >= started) return fail("a command is done that did not start", cycle);
                if (top->command___05Fdone_tag != commands[done].words[0] >> 16)
                    return fail("wrong tag of an end", cycle);
                times[done++].done = cycle;
            }
            const bool strobes[5] = {bool(top->busy), bool(top->stall_weights), bool(top->stall_activations),
                                     bool(top->stall_output), bool(top->stall_wait)};
            int set = 0;
            for (int i = 0; i < 5; i++) {
                counters[i] += strobes[i];
                set += strobes[i];
            }
            if (set != 1) return fail("not one strobe", cycle);
        }
        top->clk = 1;
        top->eval();
    }
    if (top->results___05Fvalid) return fail("a result after the last end", cycle);
    file = fopen(argv[2], "wb");
    fwrite(&cycle, sizeof cycle, 1, file);
    fwrite(counters, sizeof counters, 1, file);
    fwrite(times.data(), sizeof(Times), times.size(), file);
    fwrite(activation.data(), 1, activation.size(), file);
    fclose(file);
    delete top;
    return 0;
}
