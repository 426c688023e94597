// Exceptions: cause, mepc, mtval, what they leave undone, how they stack, how they return.
// Source: privileged manual (20240411), 3.1.6.1, 3.1.14 to 3.1.16, 3.3.
#include "directed.h"
#define NOWHERE 0x40000000

        begin
        // Environment calls and breakpoints.
        expect_trap CAUSE_ECALL_M, 0, ecall
        expect_trap_pc CAUSE_BREAKPOINT, ebreak
        .option push
        .option norvc
        expect_trap_pc CAUSE_BREAKPOINT, ebreak
        .option pop
        test
        load_value tp, MSTATUS_MPP
        and tp, tp, a3
        load_value t0, MSTATUS_MPP
        bne t0, tp, fail

        // Illegal instructions, also where they are not aligned to words.
        expect_illegal_word 0xffffffff & ~0x1c
        expect_illegal_word 0x00002013 | 0x7b
