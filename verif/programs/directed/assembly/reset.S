// What reset leaves, where Spike's boot code has been before.
// Source: privileged manual (20240411), 3.4 and 3.7.1.
#include "directed.h"
        begin
        test
        csrr t0, mstatus
        li t1, MSTATUS_MIE | MSTATUS_MPRV | MSTATUS_TW
        and t0, t0, t1
        bnez t0, fail
        csrr t0, mcause
        bnez t0, fail
        csrr t0, mie
        bnez t0, fail
#if CONFIG_ZICNTR
        // Some cycles and instructions since then, not many.
        test
        csrr t0, mcycleh
        bnez t0, fail
        csrr t0, mcycle
        li t1, 2000
        bgeu t0, t1, fail
        csrr t0, minstreth
        bnez t0, fail
        csrr t0, minstret
        li t1, 50
        bgeu t0, t1, fail
        csrr t0, 0x320
        bnez t0, fail
#endif
        // Reset: every entry is off and open.
        .set index, 0
        .rept CONFIG_PMP_REGIONS / 4
        test
        csrr t0, 0x3a0 + index
        bnez t0, fail
        .set index, index + 1
        .endr
        end
