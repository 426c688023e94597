// The mix: lists, matrices, text and CRC, in the shares that CoreMark has them.
//
// Prints iterations, cycles, instructions and the two figures of merit. Exits with 0 when
// the results are right.
#include <stdio.h>

#include "kernels.h"
#include "runtime.h"

#ifndef ITERATIONS
#define ITERATIONS 4
#endif
#define SEED 0x3415u
#define EXPECTED 0x2ef9  // after one iteration, which every one repeats

static struct node pool[LIST_NODES];
static struct matrices matrices;
static char text[TEXT_BYTES];
static volatile uint32_t seed = SEED;  // a compiler must not know it

static uint16_t iterate(uint32_t from) {
    uint16_t crc = 0;
    for (unsigned turn = 0; turn < 4; ++turn) {
        crc = list_run(pool, from + turn, crc);
        crc = matrix_run(&matrices, from ^ turn << 4, crc);
        crc = text_run(text, from + turn, crc);
    }
    return crc;
}

int main(void) {
    uint32_t wrong = 0;
    uint16_t crc = 0;
    text_fill(text, seed);
    uint64_t cycles = runtime_cycles(), instructions = runtime_instructions();
    for (unsigned i = 0; i < ITERATIONS; ++i) {
        crc = iterate(seed);
        wrong += crc != EXPECTED;
    }
    cycles = runtime_cycles() - cycles;
    instructions = runtime_instructions() - instructions;
    printf("iterations   %u\n", ITERATIONS);
    printf("cycles       %lu\n", (unsigned long)cycles);
    printf("instructions %lu\n", (unsigned long)instructions);
    unsigned long score = (unsigned long)((uint64_t)ITERATIONS * 1000000000u / (cycles ? cycles : 1));
    printf("iterations/s/MHz %lu.%03lu\n", score / 1000, score % 1000);
    printf("crc          0x%04x, %s\n", crc, wrong ? "WRONG" : "right");
    return wrong != 0;
}
