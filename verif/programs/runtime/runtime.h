// What a program can ask of the simulated system, beside the C library.
//
// printf, puts, malloc and exit come from picolibc. Everything here works without the A, C
// and M extensions, and with 16 registers.
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- counters ----

// Clock cycles since reset: mcycle, or the test device's count where the core has none.
uint64_t runtime_cycles(void);

// Instructions retired since reset: minstret; 0 where the core does not count.
uint64_t runtime_instructions(void);

// Ticks of the timer (mtime).
uint64_t runtime_time(void);

// ---- interrupts ----

enum { RUNTIME_SOFTWARE = 3, RUNTIME_TIMER = 7, RUNTIME_EXTERNAL = 11, RUNTIME_LOCAL = 16 };

typedef void (*runtime_handler)(unsigned cause);

// Have `handler` called at interrupt `cause`, and enable it; NULL disables it. The handler
// must end the request, for it is taken again otherwise.
void runtime_on_interrupt(unsigned cause, runtime_handler handler);

// Enable or disable all interrupts; returns what was before.
bool runtime_interrupts(bool enabled);

// Request a timer interrupt in `ticks` of mtime; ends a request that is there.
void runtime_timer_after(uint64_t ticks);

// Request a software interrupt, or end it.
void runtime_software(bool requested);

// Raise the lines of `mask` (by their bits in mip: RUNTIME_EXTERNAL, RUNTIME_LOCAL and up),
// and end all others.
void runtime_lines(uint32_t mask);

// Raise the line `cause` after `cycles`, 1 to 65535.
void runtime_line_after(unsigned cause, unsigned cycles);

// Wait for an interrupt.
static inline void runtime_wait(void) { __asm__ volatile("wfi" ::: "memory"); }

// ---- exceptions ----

struct trap_frame {
    uint32_t ra, t0, t1, t2, a0, a1, a2, a3, a4, a5;
#if !defined(__riscv_32e) && !defined(__riscv_e)
    uint32_t a6, a7, t3, t4, t5, t6;
#endif
    uint32_t mepc, mstatus;
};

// Have `handler` called at exceptions: it may change the frame, and mepc is where the
// program goes on. Without one, an exception ends the program and says what it was.
typedef void (*runtime_exception)(unsigned cause, struct trap_frame *frame);
void runtime_on_exception(runtime_exception handler);

// ---- CSRs ----

#define runtime_csr_read(name)                                         \
    ({                                                                 \
        uint32_t value_;                                               \
        __asm__ volatile("csrr %0, " #name : "=r"(value_)::"memory");  \
        value_;                                                        \
    })
#define runtime_csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"(value) : "memory")
#define runtime_csr_set(name, bits) __asm__ volatile("csrs " #name ", %0" ::"r"(bits) : "memory")
#define runtime_csr_clear(name, bits) __asm__ volatile("csrc " #name ", %0" ::"r"(bits) : "memory")

#ifdef __cplusplus
}
#endif
#endif
