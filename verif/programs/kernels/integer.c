// An integer mix of systems code: records that are copied and compared, strings, calls,
// pointers, enumerations, a division now and then. In the manner of Dhrystone, which its
// loop resembles in length and in its share of calls, loads and branches.
//
// Prints loops, cycles, instructions and cycles a loop. Exits with 0 when the results are
// right.
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

#ifndef LOOPS
#define LOOPS 1000
#endif
#define EXPECTED 0x45d3204eu

#define NAME_BYTES 31

enum kind { RAW, ORDERED, SHIPPED, RETURNED, KINDS };

struct record {
    struct record *next;
    enum kind kind;
    int32_t amount, stock;
    char name[NAME_BYTES];
};

static struct record records[3];
static int32_t totals[50];
static int32_t table[50][8];
static volatile char first_letter = 'R';

__attribute__((noinline)) static enum kind next_kind(enum kind kind, int32_t amount) {
    switch (kind) {
        case RAW: return amount > 100 ? SHIPPED : ORDERED;
        case ORDERED: return SHIPPED;
        case SHIPPED: return amount & 1 ? RETURNED : RAW;
        default: return RAW;
    }
}

__attribute__((noinline)) static int same_letter(char a, char b, enum kind *kind) {
    if (a == b) return 1;
    *kind = ORDERED;
    return 0;
}

__attribute__((noinline)) static int later_name(const char *a, const char *b, int32_t *amount) {
    enum kind kind = RAW;
    int at = 2;
    while (at <= 2 && a[at] != b[at + 1])
        if (same_letter(a[at], b[at + 1], &kind)) break;
        else ++at;
    if (kind == RETURNED) return 0;
    if (strcmp(a, b) > 0) {
        *amount += at + 7;
        return 1;
    }
    return 0;
}

__attribute__((noinline)) static void fill_table(int32_t *line, int32_t (*rows)[8], int32_t a, int32_t b) {
    int32_t at = a + 5;
    line[at] = b;
    line[at + 1] = line[at];
    line[at + 30] = at;
    for (int32_t i = at; i <= at + 1; ++i) rows[at][i & 7] = at;
    rows[at][(at - 1) & 7] += 1;
    rows[at + 20][at & 7] = line[at];
}

__attribute__((noinline)) static void ship(struct record *from) {
    struct record *to = from->next;
    *to = *from;
    from->amount = 5;
    to->amount = from->amount + to->stock % 11;
    to->next = from->next;
    to->kind = next_kind(to->kind, to->amount);
    if (to->kind == SHIPPED) to->stock += 6;
    else to->stock -= to->amount;
}

static uint32_t loop(uint32_t turn) {
    char name[NAME_BYTES];
    int32_t one = 2, two = 3, three = 0;
    enum kind kind = SHIPPED;

    strcpy(name, "SUZURI PROGRAM, 2'ND NAME HERE");
    kind = (enum kind)!later_name(records[0].name, name, &one);
    while (one < two) {
        three = 5 * one - two;
        one += 1 + (three > 100);
    }
    fill_table(totals, table, one, three);
    records[0].kind = RAW;
    ship(&records[0]);
    for (char letter = 'A'; letter <= first_letter && letter < 'D'; ++letter)
        if (same_letter(letter, 'C', &kind)) {
            strcpy(name, "SUZURI PROGRAM, 3'RD NAME HERE");
            two = (int32_t)turn;
        }
    two = two * one;
    one = two / (three | 1);
    two = 7 * (two - three) - one;
    return (uint32_t)(one ^ two << 4) ^ (uint32_t)kind << 28 ^ (uint32_t)(uint8_t)name[16] << 20 ^
           (uint32_t)(records[1].stock << 8);
}

int main(void) {
    uint32_t sum = 0;
    strcpy(records[0].name, "SUZURI PROGRAM, SOME NAME HERE");
    records[0].next = &records[1];
    records[1].next = &records[2];
    records[0].stock = 40;
    uint64_t cycles = runtime_cycles(), instructions = runtime_instructions();
    for (uint32_t i = 0; i < LOOPS; ++i) sum = (sum << 1 | sum >> 31) ^ loop(i);
    cycles = runtime_cycles() - cycles;
    instructions = runtime_instructions() - instructions;
    printf("loops        %u\n", LOOPS);
    printf("cycles       %lu, %lu a loop\n", (unsigned long)cycles, (unsigned long)(cycles / LOOPS));
    printf("instructions %lu, %lu a loop\n", (unsigned long)instructions,
           (unsigned long)(instructions / LOOPS));
    int right = LOOPS != 1000 || sum == EXPECTED;
    printf("sum          0x%08lx, %s\n", (unsigned long)sum, right ? "right" : "WRONG");
    return !right;
}
