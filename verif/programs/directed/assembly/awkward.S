// Interrupts in every cycle of pieces of code: nothing is lost and nothing is done twice.
// The test device raises a line after so many cycles; each piece has a result that is known.
#include "directed.h"

// Runs a piece once for every delay; `again` is where it begins, a5 its result.
        .macro pieces name, result, last
        test
        li s1, 1                        // 0 would mean never
again_\name:
        li a5, 0
        li s0, 0
        la sp, scratch
        la t2, scratch
        li t0, DEVICE
        sw zero, DEVICE_LINES(t0)
        call arm
        csrsi mstatus, MSTATUS_MIE
        call \name
        // Wait for it, should the piece have been quicker.
1:      beqz s0, 1b
        csrci mstatus, MSTATUS_MIE
        load_value tp, \result
        bne a5, tp, fail
        // Once, not twice.
        li tp, 1
        bne s0, tp, fail
        addi s1, s1, 1
        li tp, \last
        bne s1, tp, again_\name
        .endm

        begin
        la t0, handler
        csrw mtvec, t0
        li t0, DEVICE_EXTERNAL
        csrw mie, t0

        pieces adds, 0x3c, 150
        pieces memory, 0x0a14, 250
        pieces jumps, 0x77, 200
#if CONFIG_M
        pieces products, 8598, 250
#endif
#if CONFIG_A
        pieces counters, 45, 200
#endif
        pieces status, 0x1234, 200
        pieces sleeps, 3, 100
#if CONFIG_ZICNTR
        pieces counted, 10, 120
#endif
#if CONFIG_C
        pieces halves, 0x21, 150
#endif
        j pass

arm:
        li t0, DEVICE
        slli t1, s1, 16
        li a4, 11
        or t1, t1, a4
        sw t1, DEVICE_LATER(t0)
        ret

adds:
        .rept 15
        addi a5, a5, 1
        addi t0, a5, 0
        addi a5, a5, 3
        .endr
        ret

memory:
        sw zero, 0(t2)
        li t0, 20
1:      lw t1, 0(t2)
        addi t1, t1, 1
        sw t1, 0(t2)
        sb t1, 5(t2)
        addi sp, sp, 4
        sw t0, 4(sp)
        lw a4, 4(sp)
        addi t0, a4, -2
        bnez t0, 1b
        lhu a5, 4(t2)
        andi a5, a5, -256
        lw t1, 0(t2)
        add t1, t1, t1
        or a5, a5, t1
        ret

jumps:
        mv a4, ra
        li t0, 7
1:      addi a5, a5, 1
        beq t0, zero, fail
        jal ra, 2f
        addi t0, t0, -1
        bnez t0, 1b
        jr a4
        j fail
2:      bltz t0, fail
        addi a5, a5, 16
        ret
        j fail

#if CONFIG_M
products:
        li t0, 1
        li t1, 4
        li a4, 1000
1:      mul t0, t0, t1
        div t2, a4, t1
        rem a4, a4, t2
        add a5, a5, t0
        add a5, a5, a4
        add a5, a5, t2
        addi a4, a4, 1000
        addi t1, t1, 1
        li t2, 9
        bne t1, t2, 1b
        ret
#endif

#if CONFIG_A
counters:
        sw zero, 8(t2)
        addi t1, t2, 8
        li t0, 9
1:      amoadd.w a4, t0, (t1)
        addi t0, t0, -1
        bnez t0, 1b
        lw a5, 8(t2)
        ret
#endif

status:
        li t0, 0x1230
        csrw mtval, t0
        csrrsi t1, mtval, 4
        // An interrupt writes mtval: only what is in registers counts here.
        li a5, 0
        li t1, 8
1:      csrr t0, mhartid
        csrci mstatus, MSTATUS_MIE
        csrw mtval, t1
        addi a5, a5, 1
        csrr t0, mtval
        bne t0, t1, fail
        csrsi mstatus, MSTATUS_MIE
        addi t1, t1, -1
        bnez t1, 1b
        li t0, 0x122c
        add a5, a5, t0
        ret

sleeps:
        // As programs sleep: nothing is lost between the look and the sleep.
        addi a5, a5, 1
        csrci mstatus, MSTATUS_MIE
        bnez s0, 1f
        wfi
1:      csrsi mstatus, MSTATUS_MIE
        nop
        beqz s0, fail
        addi a5, a5, 2
        ret

#if CONFIG_ZICNTR
counted:
        // Instructions retire once. The handler stops the counter, but for two to four of its own.
        csrr t0, minstret
        .rept 9
        addi t1, t1, 1
        .endr
        csrr t1, minstret
        sub a5, t1, t0
        addi t1, a5, -12
        li t0, 3
        bgeu t1, t0, 1f
        li a5, 10
1:      ret
#endif

#if CONFIG_C
        .option push
        .option rvc
halves:
        c.li a5, 1
        .rept 8
        c.addi a5, 1
        addi a5, a5, 1
        lui t0, 0x12345
        c.addi a5, 2
        .endr
        c.jr ra
        .option pop
#endif

// Takes the line back, counts in s0; checks where it came from.
        .balign 64
handler:
        csrwi 0x320, 4
        csrrw tp, mscratch, a0
        csrr a0, mcause
        bgez a0, fail
        addi a0, a0, -11
        slli a0, a0, 1
        bnez a0, fail
        li a0, DEVICE
        sw zero, DEVICE_LINES(a0)
        li a0, DEVICE_EXTERNAL
        wait_clear mip, a0
        addi s0, s0, 1
        // Whatever was computed is still there: touch nothing but a0, tp and s0.
        csrr a0, mstatus
        srli a0, a0, 7
        andi a0, a0, 1
        beqz a0, fail
        csrwi 0x320, 0
        csrrw a0, mscratch, tp
        mret
        end
        .data
        .balign 64
scratch: .space 256
