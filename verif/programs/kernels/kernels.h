// Kernels of a benchmark mix: what embedded integer code spends its time on.
//
// Each works on the memory that it is given and returns a number that depends on all it
// did, so that nothing can be left out and every result can be checked.
#ifndef KERNELS_H
#define KERNELS_H

#include <stdint.h>

// Linked list: nodes scattered over a pool, searched, reversed and merge-sorted.
struct node {
    struct node *next;
    int16_t key, place;
};

#define LIST_NODES 36
#define LIST_SEARCHES 60

uint16_t list_run(struct node *pool, uint32_t seed, uint16_t crc);

// Integer matrices, 16-bit elements, 32-bit results.
#define MATRIX_SIZE 9

struct matrices {
    int16_t a[MATRIX_SIZE][MATRIX_SIZE], b[MATRIX_SIZE][MATRIX_SIZE];
    int32_t c[MATRIX_SIZE][MATRIX_SIZE];
};

uint16_t matrix_run(struct matrices *m, uint32_t seed, uint16_t crc);

// A state machine that tells kinds of numbers apart in comma-separated text.
#define TEXT_BYTES 720

void text_fill(char *text, uint32_t seed);
uint16_t text_run(char *text, uint32_t seed, uint16_t crc);

// CRC-16 of polynomial 0xA001 (reflected 0x8005), bit by bit.
uint16_t crc16_byte(uint8_t data, uint16_t crc);
uint16_t crc16_half(uint16_t data, uint16_t crc);

// A small generator of numbers that a compiler cannot foresee.
static inline uint32_t next_number(uint32_t x) {
    x ^= x << 13;
    x ^= x >> 17;
    return x ^ x << 5;
}

#endif
