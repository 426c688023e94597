// The six CSR instructions: what they read, write and leave alone; hazards between them.
// Source: unprivileged manual, chapter "Zicsr".
#include "directed.h"
        begin

        // csrrw, csrrs, csrrc: old value to rd, new value from rs1. mtval is 32 plain bits.
        test
        li t0, 0x12345678
        csrw mtval, t0
        li t1, 0xffff0f0f
        csrrw t2, mtval, t1
        check t2, 0x12345678
        csrr t2, mtval
        check t2, 0xffff0f0f
        check t1, 0xffff0f0f

        test
        li t1, 0x000000f0
        csrrs t2, mtval, t1
        check t2, 0xffff0f0f
        csrr t2, mtval
        check t2, 0xffff0fff

        test
        li t1, 0xf0f000ff
        csrrc t2, mtval, t1
        check t2, 0xffff0fff
        csrr t2, mtval
        check t2, 0x0f0f0f00

        // rd and rs1 the same.
        test
        li t1, 0x55
        csrrw t1, mtval, t1
        check t1, 0x0f0f0f00
        csrr t2, mtval
        check t2, 0x55
        li t1, 0xaa
        csrrs t1, mtval, t1
        check t1, 0x55
        csrr t2, mtval
        check t2, 0xff
        li t1, 0x0f
        csrrc t1, mtval, t1
        check t1, 0xff
        csrr t2, mtval
        check t2, 0xf0

        // Without a destination.
        test
        li t1, 0x11
        csrrw zero, mtval, t1
        bnez zero, fail
        csrrs zero, mtval, t1
        csrr t2, mtval
        check t2, 0x11
        csrrc zero, mtval, t1
        csrr t2, mtval
        check t2, 0
        bnez zero, fail

        // x0 as source: write writes zero, set and clear change nothing.
        test
        li t1, 0x77
        csrw mtval, t1
        csrrs t2, mtval, zero
        check t2, 0x77
        csrrc t2, mtval, zero
        check t2, 0x77
        csrr t2, mtval
        check t2, 0x77
        csrrw t2, mtval, zero
        check t2, 0x77
        csrr t2, mtval
        check t2, 0

        // Immediates are five bits without a sign.
        test
        csrrwi t2, mtval, 31
        check t2, 0
        csrrwi t2, mtval, 16
        check t2, 31
        csrrsi t2, mtval, 5
        check t2, 16
        csrrci t2, mtval, 1
        check t2, 21
        csrrsi t2, mtval, 0
        check t2, 20
        csrrci t2, mtval, 0
        check t2, 20
        csrrwi t2, mtval, 0
        check t2, 20
        csrr t2, mtval
        check t2, 0

        // Back to back, every result the next one's operand.
        test
        li t0, 1
        csrrw t1, mtval, t0
        csrrw t0, mtval, t1
        csrrw t1, mtval, t0
        csrrs t2, mtval, t1
        csrrc a0, mtval, t2
        csrr a1, mtval
        check t0, 1
        check t1, 0
        check t2, 1
        check a0, 1
        check a1, 0

        // Each one is written by what was computed right before.
        test
        li t0, 3
        add t1, t0, t0
        csrw mtval, t1
        csrr t2, mtval
        add t2, t2, t2
        check t2, 12
        lw t1, operand
        csrw mtval, t1
        csrr t2, mtval
        check t2, 0x0badcafe

        // A value that is written and read at once, in two registers.
        test
        li t0, 0x1000
        li t1, 0x2000
        csrw mtval, t0
        csrw mepc, t1
        csrr a0, mtval
        csrr a1, mepc
        check a0, 0x1000
        check a1, 0x2000
        csrrw a0, mepc, t0
        csrrw a1, mtval, t1
        check a0, 0x2000
        check a1, 0x1000

        // A refused access has no effect, neither on rd nor on anything.
        li t2, 0x4321
        expect_illegal csrrw t2, 0xf14, t2
        check t2, 0x4321
        expect_illegal csrrs t2, 0x7ff, zero
        check t2, 0x4321

        // Not in the shadow of a jump.
        test
        li t0, 0x99
        csrw mtval, t0
        beqz zero, 1f
        csrw mtval, zero
        csrrsi t1, mtval, 31
1:      csrr t1, mtval
        check t1, 0x99
        j 2f
        csrw mtval, zero
2:      csrr t1, mtval
        check t1, 0x99
        end
        .data
operand: .4byte 0x0badcafe
