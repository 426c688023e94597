// Console, exit, counters, traps.
//
// With RUNTIME_HTIF defined, console and exit go through HTIF (`tohost`), as Spike has it;
// otherwise through the test device.
#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEVICE(offset) (*(volatile uint32_t *)(0x10000000u + (offset)))
#define CLINT(offset) (*(volatile uint32_t *)(0x02000000u + (offset)))

// ---- console and exit ----

#ifdef RUNTIME_HTIF
__attribute__((section(".tohost"), aligned(64))) volatile uint32_t tohost[2];
__attribute__((section(".tohost"), aligned(64))) volatile uint32_t fromhost[2];

static void put_byte(unsigned char c) {
    while (tohost[0] || tohost[1]) {
    }
    tohost[0] = c;
    tohost[1] = 0x01010000;
}

void _exit(int code) {
    while (tohost[0] || tohost[1]) {
    }
    tohost[0] = (uint32_t)code << 1 | 1;
    for (;;) {
    }
}
#else
static void put_byte(unsigned char c) { DEVICE(0x00) = c; }

void _exit(int code) {
    DEVICE(0x04) = (uint32_t)code;
    for (;;) {
    }
}
#endif

static int put(char c, FILE *file) {
    (void)file;
    put_byte((unsigned char)c);
    return (unsigned char)c;
}

static FILE console = FDEV_SETUP_STREAM(put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout = &console;
FILE *const stderr = &console;
FILE *const stdin = &console;

ssize_t write(int file, const void *data, size_t size) {
    (void)file;
    for (size_t i = 0; i < size; ++i) put_byte(((const unsigned char *)data)[i]);
    return (ssize_t)size;
}

// abort, and so assert, raise a signal; without a handler it ends the program.
pid_t getpid(void) { return 1; }

int kill(pid_t process, int signal) {
    (void)process;
    _exit(128 + signal);
}

// ---- counters ----

#define READ_PAIR(low, high)                    \
    ({                                          \
        uint32_t h_, l_, again_;                \
        do {                                    \
            h_ = high;                          \
            l_ = low;                           \
            again_ = high;                      \
        } while (h_ != again_);                 \
        (uint64_t) h_ << 32 | l_;               \
    })

uint64_t runtime_cycles(void) {
    uint64_t cycles = READ_PAIR(runtime_csr_read(mcycle), runtime_csr_read(mcycleh));
#ifndef RUNTIME_HTIF
    if (cycles == 0) cycles = READ_PAIR(DEVICE(0x08), DEVICE(0x0c));
#endif
    return cycles;
}

uint64_t runtime_instructions(void) {
    return READ_PAIR(runtime_csr_read(minstret), runtime_csr_read(minstreth));
}

uint64_t runtime_time(void) { return READ_PAIR(CLINT(0xbff8), CLINT(0xbffc)); }

// ---- interrupts ----

static runtime_handler handlers[32];
static runtime_exception exception_handler;

void runtime_on_interrupt(unsigned cause, runtime_handler handler) {
    handlers[cause & 31] = handler;
    if (handler)
        runtime_csr_set(mie, 1u << (cause & 31));
    else
        runtime_csr_clear(mie, 1u << (cause & 31));
}

bool runtime_interrupts(bool enabled) {
    uint32_t before;
    if (enabled)
        __asm__ volatile("csrrsi %0, mstatus, 8" : "=r"(before)::"memory");
    else
        __asm__ volatile("csrrci %0, mstatus, 8" : "=r"(before)::"memory");
    return before & 8;
}

void runtime_timer_after(uint64_t ticks) {
    uint64_t at = runtime_time() + ticks;
    CLINT(0x4004) = 0xffffffff;  // no request between the halves
    CLINT(0x4000) = (uint32_t)at;
    CLINT(0x4004) = (uint32_t)(at >> 32);
}

void runtime_software(bool requested) { CLINT(0x0000) = requested; }

void runtime_lines(uint32_t mask) { DEVICE(0x10) = mask; }

void runtime_line_after(unsigned cause, unsigned cycles) { DEVICE(0x14) = cycles << 16 | cause; }

// ---- exceptions ----

void runtime_on_exception(runtime_exception handler) { exception_handler = handler; }

static void put_text(const char *text) {
    while (*text) put_byte((unsigned char)*text++);
}

static void put_hex(uint32_t value) {
    put_text("0x");
    for (int shift = 28; shift >= 0; shift -= 4) put_byte("0123456789abcdef"[value >> shift & 15]);
}

static const char *const exceptions[12] = {
    "instruction address misaligned", "instruction access fault", "illegal instruction", "breakpoint",
    "load address misaligned", "load access fault", "store address misaligned", "store access fault",
    "environment call from user mode", "exception 9", "exception 10", "environment call",
};

void __trap(uint32_t cause, struct trap_frame *frame);

void __trap(uint32_t cause, struct trap_frame *frame) {
    if (cause >> 31) {
        runtime_handler handler = handlers[cause & 31];
        if (handler) {
            handler(cause & 31);
            return;
        }
        runtime_csr_clear(mie, 1u << (cause & 31));
        return;
    }
    if (exception_handler) {
        exception_handler(cause, frame);
        return;
    }
    put_text("exception: ");
    put_text(cause < 12 ? exceptions[cause] : "of a cause of its own");
    put_text(" at ");
    put_hex(frame->mepc);
    put_text(", mtval ");
    put_hex(runtime_csr_read(mtval));
    put_byte('\n');
    _exit(128 + (int)cause);
}
