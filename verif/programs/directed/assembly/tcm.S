// Tightly coupled memories: each holds data and code, from its first byte to its last.
#include "directed.h"
#define SUMMING 32                      // bytes of the function of this name

        .macro region base, size
        // Words, halves and bytes at both ends, and their neighbours.
        .irp place, 0, 4, 8, (\size - 8), (\size - 4)
        test
        li a1, \base + \place
        li a0, 0x81828384
        sw a0, 0(a1)
        lw a2, 0(a1)
        bne a0, a2, fail
        li a2, 0x7f
        sb a2, 1(a1)
        lw a0, 0(a1)
        check a0, 0x81827f84
        li a2, 0x1234
        sh a2, 2(a1)
        lw a0, 0(a1)
        check a0, 0x12347f84
        lb a0, 0(a1)
        check a0, -124
        lbu a0, 0(a1)
        check a0, 0x84
        lhu a0, 2(a1)
        check a0, 0x1234
        .endr

        // Every word keeps what it was given.
        test
        li a1, \base
        li a2, \base + \size
        li a0, 0x9e3779b9
        mv a4, a0
1:      sw a4, 0(a1)
        add a4, a4, a0
        addi a1, a1, 4
        bne a1, a2, 1b
        li a1, \base
        mv a4, a0
2:      lw a5, 0(a1)
        bne a5, a4, fail
        add a4, a4, a0
        addi a1, a1, 4
        bne a1, a2, 2b

        // A function at the end: what lies behind it is fetched ahead, and does not count.
        test
        la a1, summing
        li a2, \base + \size - SUMMING
        call copy
        li a2, \base + \size - SUMMING
        li a3, \base
        li a0, 1
        sw a0, 0(a3)
        jalr ra, 0(a2)
        check a0, 500
        lw a0, 0(a3)
        check a0, 1001

        // To and fro: answers keep their order though one comes from near and one from far.
        test
        la a1, bouncing
        li a2, \base
        call copy
        li a2, \base
        li a0, 0
        li a4, 50
        la a5, far
        jalr ra, 0(a2)
        check a0, 250

        // Written anew before each call.
        test
        li a2, \base + 16
        li a0, 0
        li a4, 20
        li a5, 0x00150513               // addi a0, a0, 1
        li a1, 0x00008067               // ret
        sw a1, 4(a2)
3:      sw a5, 0(a2)
        fence.i
        jalr ra, 0(a2)
        li a1, 0x00100000               // the immediate, by one more
        add a5, a5, a1
        addi a4, a4, -1
        bnez a4, 3b
        check a0, 210
        .endm

        begin
        .option norvc
        region CONFIG_INSTRUCTION_TCM_BASE, CONFIG_INSTRUCTION_TCM_BYTES
        region CONFIG_DATA_TCM_BASE, CONFIG_DATA_TCM_BYTES

        // From one to the other, a word each cycle or two, while code runs in the first.
        test
        la a1, moving
        li a2, CONFIG_INSTRUCTION_TCM_BASE
        call copy
        li a2, CONFIG_INSTRUCTION_TCM_BASE
        li a3, CONFIG_INSTRUCTION_TCM_BASE + 128
        li a4, CONFIG_DATA_TCM_BASE
        li a0, 0
        li a1, 16
4:      sw a1, 0(a3)
        addi a3, a3, 4
        addi a1, a1, -1
        bnez a1, 4b
        li a3, CONFIG_INSTRUCTION_TCM_BASE + 128
        li a1, 16
        jalr ra, 0(a2)
        check a0, 136
        j over

        // Copy a function from a1 to a2, up to its `ret` with the word behind.
copy:   li a5, 0x00008067
5:      lw a0, 0(a1)
        sw a0, 0(a2)
        addi a1, a1, 4
        addi a2, a2, 4
        bne a0, a5, 5b
        fence.i
        ret

        .balign 4
summing:                                // a3 counts 2 up, 500 times
        li a0, 0
        li a4, 500
6:      lw a1, 0(a3)
        addi a1, a1, 2
        sw a1, 0(a3)
        addi a0, a0, 1
        bne a0, a4, 6b
        ret
        .org summing + SUMMING

bouncing:                               // far adds 4, here adds 1
        mv a3, ra
7:      jalr ra, 0(a5)
        addi a0, a0, 1
        addi a4, a4, -1
        bnez a4, 7b
        mv ra, a3
        .4byte 0x00008067

far:    lw a1, far_word
        add a0, a0, a1
        jr ra

moving: lw a5, 0(a3)
        sw a5, 0(a4)
        lw a2, 0(a4)
        add a0, a0, a2
        addi a3, a3, 4
        addi a4, a4, 4
        addi a1, a1, -1
        bnez a1, moving
        ret

over:   end
        .data
far_word:
        .4byte 4
