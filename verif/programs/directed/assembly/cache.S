// Caches: more lines of one set than it has ways, stores to lines that are there and that
// are not, code and data of one line, and devices, which are never kept.
#include "directed.h"
#define STEP CONFIG_DATA_CACHE_BYTES
#define LINES 6

        begin
        .option norvc
        // Lines of one set push each other out, and come back with what was stored.
        .irp offset, 0, 4, 28, 32, 60
        test
        la a1, space + \offset
        li a2, LINES
        li a3, 0x1000 + \offset
1:      sw a3, 0(a1)
        lw a0, 0(a1)
        bne a0, a3, fail
        li a0, STEP
        add a1, a1, a0
        addi a3, a3, 1
        addi a2, a2, -1
        bnez a2, 1b
        li a5, 3                        // three times, so that some are found and some are not
2:      la a1, space + \offset
        li a2, LINES
        li a3, 0x1000 + \offset
3:      lw a0, 0(a1)
        bne a0, a3, fail
        li a0, STEP
        add a1, a1, a0
        addi a3, a3, 1
        addi a2, a2, -1
        bnez a2, 3b
        addi a5, a5, -1
        bnez a5, 2b
        .endr

        // A part of a word, in a line that is there, and in one that is not.
        test
        la a1, space + 8
        li a0, 0x11223344
        sw a0, 0(a1)
        lw a0, 0(a1)
        li a0, 0x55
        sb a0, 2(a1)
        lw a0, 0(a1)
        check a0, 0x11553344
        li a4, STEP
        add a2, a1, a4
        lw a0, 0(a2)
        add a2, a2, a4
        lw a0, 0(a2)
        add a2, a2, a4
        lw a0, 0(a2)
        li a0, 0x6677
        sh a0, 0(a1)
        lw a0, 0(a1)
        check a0, 0x11556677

        // A store and a load of one word right behind another, over a line's end.
        test
        la a1, space + 60
        li a4, 40
        li a5, 0
4:      sw a4, 0(a1)
        lw a0, 0(a1)
        sw a0, 4(a1)
        lw a2, 4(a1)
        add a5, a5, a2
        addi a4, a4, -1
        bnez a4, 4b
        check a5, 820

        // Code that was fetched and loaded is written: FENCE.I brings the new, loads need none.
        test
        la a1, function
        li a0, 0
        li a4, 12
        li a5, 0x00150513               // addi a0, a0, 1
5:      lw a2, 0(a1)
        sw a5, 0(a1)
        lw a2, 0(a1)
        bne a2, a5, fail
        fence.i
        jalr ra, 0(a1)
        li a2, 0x00100000               // the immediate, by one more
        add a5, a5, a2
        addi a4, a4, -1
        bnez a4, 5b
        check a0, 78

        // Time goes on: a device is asked each time.
        test
        li a1, CLINT_MTIME
        lw a0, 0(a1)
        nop
        nop
        nop
        nop
        lw a2, 0(a1)
        beq a0, a2, fail

        // What answers with an error is not kept either, and the next access is good.
        test
        li a4, 3
6:      expect_at 7f
        li a1, DEVICE_FAULTS
        lw a0, 0(a1)
        j fail
7:      check a0, CAUSE_LOAD_FAULT
        la a1, space
        sw a4, 0(a1)
        lw a0, 0(a1)
        bne a0, a4, fail
        addi a4, a4, -1
        bnez a4, 6b
        j over
        .balign 64
        .space 56
function:                               // the end of a line, and the next one
        addi a0, a0, 1
        nop
        ret
over:   end
        .section .bss
        .balign 4096
space:  .space STEP * LINES
