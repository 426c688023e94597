// Counters: they count, they stop, they can be written, also across their halves.
// Source: privileged manual (20240411), 3.1.10 to 3.1.12; unprivileged manual, Zicntr.
#include "directed.h"
        begin
        // minstret counts instructions, exactly; not the one that writes it.
        test
        csrw minstret, zero
        csrr t0, minstret
        check t0, 0
        csrw minstret, zero
        nop
        nop
        nop
        csrr t0, minstret
        check t0, 3
        test
        li t1, 1000
        csrw minstret, t1
        csrr t0, minstret
        csrr t1, minstret
        check t0, 1000
        check t1, 1001
        // Taken branches and jumps count once; what they skip does not.
        test
        csrw minstret, zero
        beqz zero, 1f
        nop
        nop
1:      j 2f
        nop
2:      bnez zero, 2b
        csrr t0, minstret
        check t0, 3
        // Loads, stores, and what takes many cycles.
        test
        la t2, word
        csrw minstret, zero
        sw t2, 0(t2)
        lw t1, 0(t2)
        addi t1, t1, 1
        sw t1, 4(t2)
        slli t1, t1, 31
#if CONFIG_M
        mul t1, t1, t2
        div t1, t2, t2
#else
        nop
        nop
#endif
        fence
        fence.i
        csrr t0, minstret
        check t0, 9
        // The same in instret.
        test
        csrw minstreth, zero
        csrw minstret, zero
        nop
        rdinstret t0
        rdinstreth t1
        bnez t1, fail
        check t0, 1
        // An instruction that traps does not retire.
        test
        expect_at 1f
        csrw minstret, zero
        ecall
1:      csrr t0, minstret
        // The handler's, up to MRET: from its first instruction.
        check t0, 12
        // From the low half into the high half.
        test
        li t1, -2
        csrw minstreth, zero
        csrw minstret, t1
        nop
        nop
        nop
        csrr t0, minstret
        csrr t2, minstreth
        check t0, 1
        check t2, 1
        test
        li t1, 0x12345678
        csrw minstreth, t1
        csrr t0, minstreth
        check t0, 0x12345678
        csrw minstreth, zero

        // mcycle counts at least one an instruction.
        test
        csrw mcycle, zero
        csrw mcycleh, zero
        csrr t0, mcycle
        nop
        nop
        nop
        nop
        csrr t1, mcycle
        bgeu t0, t1, fail
        sub t1, t1, t0
        li t0, (4 / CONFIG_ISSUE_WIDTH)
        bltu t1, t0, fail
        li t0, 2000
        bgeu t1, t0, fail
        test
        li t1, -1
        csrw mcycle, t1
        nop
        nop
        csrr t0, mcycleh
        check t0, 1
        csrr t0, mcycle
        li t1, 0x1000
        bgeu t0, t1, fail
        csrw mcycleh, zero
        test
        rdcycle t0
        csrr t1, mcycle
        bgeu t0, t1, fail
        rdcycle t2
        bgeu t1, t2, fail
        rdcycleh t2
        bnez t2, fail
        // time does not run backwards, and stands in the memory-mapped timer too.
        test
        rdtime t0
        nop
        rdtime t1
        bltu t1, t0, fail
        rdtimeh t2
        bnez t2, fail
        li t2, CLINT_MTIME
        lw a0, 0(t2)
        rdtime a1
        bltu a0, t1, fail
        bltu a1, a0, fail

        // mcountinhibit stops each by itself.
        test
        csrwi 0x320, 1
        csrr t0, mcycle
        nop
        nop
        csrr t1, mcycle
        bne t0, t1, fail
        csrw minstret, zero
        nop
        csrr t0, minstret
        check t0, 1
        test
        csrwi 0x320, 4
        csrr t0, minstret
        nop
        nop
        csrr t1, minstret
        bne t0, t1, fail
        csrr t0, mcycle
        nop
        csrr t1, mcycle
        beq t0, t1, fail
        // A counter that stands still can be written.
        test
        csrwi 0x320, 5
        li t0, 77
        csrw mcycle, t0
        csrw minstret, t0
        nop
        csrr t1, mcycle
        bne t0, t1, fail
        csrr t1, minstret
        bne t0, t1, fail
        csrwi 0x320, 0
        nop
        csrr t1, mcycle
        beq t0, t1, fail
        end
        .data
        .balign 8
word:   .space 8
