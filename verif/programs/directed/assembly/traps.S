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
        expect_illegal_word 0x00003003
        expect_illegal_word 0xffffa063
        expect_illegal_word 0x12000073
#if CONFIG_C
        .option push
        .option rvc
        .balign 4
        c.nop
        expect_illegal_word 0x80007003
        .balign 4
        c.nop
        expect_illegal_half 0
        .balign 4
        c.nop
        expect_trap_pc CAUSE_BREAKPOINT, c.ebreak
        .balign 4
        expect_trap_pc CAUSE_BREAKPOINT, c.ebreak
        .balign 4
        c.nop
        expect_trap CAUSE_ECALL_M, 0, ecall
        .option pop
#endif

// An access that must trap; rd and memory stay.
        .macro refused cause, instruction, base, offset
        test
        load_value t0, \base + 256
        li t1, 0x600d
        expect_at recover_\@
        load_value s1, at_\@
at_\@:  \instruction t1, (\offset - 256)(t0)
        j fail
recover_\@:
        check_trap \cause, \base + \offset
        check t1, 0x600d
        .endm

        // Misaligned loads and stores.
        .irp instruction, lh, lhu
        refused CAUSE_LOAD_MISALIGNED, \instruction, words, 1
        refused CAUSE_LOAD_MISALIGNED, \instruction, words, 3
        .endr
        .irp offset, 1, 2, 3
        refused CAUSE_LOAD_MISALIGNED, lw, words, \offset
        refused CAUSE_STORE_MISALIGNED, sw, words, \offset
        .endr
        refused CAUSE_STORE_MISALIGNED, sh, words, 1
        refused CAUSE_STORE_MISALIGNED, sh, words, 3
        test
        lw t0, words
        check t0, 0x03020100
        lw t0, words + 4
        check t0, 0x07060504

        // Accesses where nothing is.
        .irp instruction, lb, lbu, lh, lhu, lw
        refused CAUSE_LOAD_FAULT, \instruction, NOWHERE, 0
        .endr
        .irp offset, 1, 2, 3
        refused CAUSE_LOAD_FAULT, lb, NOWHERE, \offset
        refused CAUSE_LOAD_FAULT, lbu, NOWHERE, \offset
        refused CAUSE_STORE_FAULT, sb, NOWHERE, \offset
        .endr
        refused CAUSE_LOAD_FAULT, lh, NOWHERE, 2
        refused CAUSE_STORE_FAULT, sh, NOWHERE, 2
        .irp instruction, sb, sh, sw
        refused CAUSE_STORE_FAULT, \instruction, NOWHERE, 0
        .endr

        // Fetches where nothing is: the jump is done, its link is written.
        test
        li s1, NOWHERE
        expect_at 1f
        li t1, 0
        load_value t2, 2f
        jalr t1, 0(s1)
2:      j fail
1:      check_trap CAUSE_FETCH_FAULT, NOWHERE
        bne t1, t2, fail

        // Running off the end of memory. The last instruction before it is executed.
        test
        li s1, CONFIG_RESET_VECTOR + 0x400000
        li t0, 0x00700313               // addi t1, x0, 7
        sw t0, -4(s1)
        fence.i
        li t1, 0
        expect_at 1f
        addi t0, s1, -4
        jr t0
1:      check_trap CAUSE_FETCH_FAULT, CONFIG_RESET_VECTOR + 0x400000
        check t1, 7
#if CONFIG_C
        // An instruction whose second half is not there: mtval says where that is.
        test
        li t1, CONFIG_RESET_VECTOR + 0x400000
        li t0, 0x0313
        sh t0, -2(t1)
        fence.i
        addi s1, t1, -2
        expect_at 1f
        jr s1
1:      check_trap CAUSE_FETCH_FAULT, CONFIG_RESET_VECTOR + 0x400000
        // A compressed one there has its trap behind it.
        test
        li s1, CONFIG_RESET_VECTOR + 0x400000
        li t0, 0x4315                   // c.li t1, 5
        sh t0, -2(s1)
        fence.i
        expect_at 1f
        addi t0, s1, -2
        jr t0
1:      check_trap CAUSE_FETCH_FAULT, CONFIG_RESET_VECTOR + 0x400000
        check t1, 5
#else
        // Jumps to where no instruction can be: the jump traps, and writes no link.
        .irp instruction, "jal t1, wrong_1", "jalr t1, 2(t0)", "jalr t1, 3(t0)"
        test
        li t1, 0x600d
        load_value t0, wrong_1 - 2
        expect_at 1f
        load_value s1, 2f
2:      \instruction
        j fail
1:      check_trap CAUSE_FETCH_MISALIGNED, wrong_1
        check t1, 0x600d
        .endr
        .irp instruction, "beq zero, zero, wrong_1", "bge zero, t0, wrong_1", "bltu zero, t0, wrong_1"
        test
        li t0, 0x80000000
        expect_at 1f
        load_value s1, 2f
2:      \instruction
        j fail
1:      check_trap CAUSE_FETCH_MISALIGNED, wrong_1
        .endr
        // One that is not taken does not.
        test
        bne zero, zero, wrong_1
        blt zero, zero, wrong_1
#endif
        j 1f
        .set wrong_1, . + 2
        j fail
        j fail
1:

        // What is older is done, what is younger is not, whatever takes longer.
        .macro precise older, value, trapping, younger:vararg
        test
        li t0, 60
        li t1, 7
        la t2, words
        li a4, NOWHERE
        li a5, 0x600d
        sw a5, 16(t2)
        expect_at recover_\@
        \older
at_\@:  \trapping
        \younger
        \younger
        j fail
recover_\@:
        load_value s1, at_\@
        bne a1, s1, fail
        check a5, \value
        lw t0, 16(t2)
        check t0, 0x600d
        .endm

        .macro after_all older, value
        .irp trapping, "ecall", "ebreak", ".4byte 0x00003003", "lw t0, 0(a4)", "lw t0, 1(t2)", "sw t0, 0(a4)", "sw t0, 3(t2)", "csrw mhartid, t0"
        precise "\older", \value, "\trapping", sw t0, 16(t2)
        precise "\older", \value, "\trapping", addi a5, a5, 1
        precise "\older", \value, "\trapping", lw a5, 0(t2)
#if CONFIG_M
        precise "\older", \value, "\trapping", div a5, t0, t1
        precise "\older", \value, "\trapping", mul a5, t0, t1
#endif
        .endr
        .endm
        after_all "addi a5, t0, 1", 61
        after_all "lw a5, 0(t2)", 0x03020100
        after_all "lbu a5, 7(t2)", 7
        after_all "sra a5, t0, t1", 0
#if CONFIG_M
        after_all "mul a5, t0, t1", 420
        after_all "div a5, t0, t1", 8
        after_all "rem a5, t0, t1", 4
#endif
#if CONFIG_ZBB
        after_all "cpop a5, t0", 4
#endif
        // A store before the trap is done.
        .irp trapping, "ecall", "lw t0, 0(a4)", "sw t0, 0(a4)", "sw t0, 1(t2)", ".4byte 0"
        test
        li t0, 0xbeef
        la t2, words
        li a4, NOWHERE
        sw zero, 20(t2)
        expect_at 1f
        sw t0, 20(t2)
        \trapping
        j fail
1:      lw t1, 20(t2)
        check t1, 0xbeef
        .endr
        // Operands of the trapping access come from the instruction right before.
        test
        expect_at 1f
        load_value s1, 2f
        li a4, NOWHERE - 4
        addi a4, a4, 12
2:      lw t0, 4(a4)
        j fail
1:      check_trap CAUSE_LOAD_FAULT, NOWHERE + 12

        // mstatus: a trap saves MIE in MPIE and clears it, MRET brings it back and sets MPIE.
        .macro stacking before, within, after
        test
        li t0, MSTATUS_MIE | MSTATUS_MPIE
        csrc mstatus, t0
        li t0, \before
        csrs mstatus, t0
        expect_at recover_\@
        ecall
recover_\@:
        li t0, MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP
        and t1, a3, t0
        check t1, (\within | MSTATUS_MPP)
        csrr t1, mstatus
        and t1, t1, t0
        check t1, (\after | (1 - CONFIG_USER_MODE) * MSTATUS_MPP)
        .endm
        csrw mie, zero
        stacking 0, 0, MSTATUS_MPIE
        stacking MSTATUS_MPIE, 0, MSTATUS_MPIE
        stacking MSTATUS_MIE, MSTATUS_MPIE, MSTATUS_MPIE | MSTATUS_MIE
        stacking MSTATUS_MIE | MSTATUS_MPIE, MSTATUS_MPIE, MSTATUS_MPIE | MSTATUS_MIE
        csrc mstatus, MSTATUS_MIE

        // MRET by itself: a jump to mepc that nothing younger survives.
        test
        li t0, MSTATUS_MPP
        csrs mstatus, t0
        li a5, 1
        load_value t0, 1f
        csrw mepc, t0
        mret
        li a5, 2
        j fail
1:      check a5, 1
        // Right behind the write of mepc, and backwards.
        test
        j 2f
1:      j 3f
2:      li t1, MSTATUS_MPP
        csrs mstatus, t1
        load_value t0, 1b
        csrw mepc, t0
        mret
        j fail
3:
        // A trap within a handler: what it saved comes back.
        test
        csrr t2, mtvec
        la t0, outer
        csrw mtvec, t0
        li a5, 0
        ecall
after_outer:
        check a5, 0x321
        csrw mtvec, t2
        j 1f
        .balign 64
outer:
        csrr t0, mcause
        check t0, CAUSE_ECALL_M
        csrr s0, mepc
        csrr a4, mstatus
        la t0, inner
        csrw mtvec, t0
        addi a5, a5, 1
        lw t0, 1(zero)
after_inner:
        addi a5, a5, 0x300
        csrw mstatus, a4
        addi s0, s0, 4
        load_value t0, after_outer
        csrw mepc, t0
        mret
        j fail
        .balign 64
inner:
        csrr t0, mcause
        check t0, CAUSE_LOAD_MISALIGNED
        csrr t0, mtval
        check t0, 1
        addi a5, a5, 0x20
        la t0, after_inner
        csrw mepc, t0
        mret
        j fail
1:
        // Many traps in a row, each from where the last returned to.
        test
        li a5, 0
        la t0, skip_handler
        csrw mtvec, t0
        .option push
        .option norvc
        .rept 9
        ecall
        addi a5, a5, 1
        lw zero, 3(zero)
        .4byte 0x00003003
        .endr
        .option pop
        csrw mtvec, t2
        check a5, 9
        check t1, 27
        j 1f
        .balign 64
skip_handler:
        csrr t0, mepc
        addi t0, t0, 4
        csrw mepc, t0
        bnez a5, 2f
        csrr t0, mcause
        addi t0, t0, -CAUSE_ECALL_M
        bnez t0, 2f
        li t1, 0
2:      addi t1, t1, 1
        mret
1:
        // Exceptions go to the base of mtvec in vectored mode too.
        test
        la t0, vectors + 1
        csrw mtvec, t0
        li a5, 0
        ecall
after_vectored:
        csrw mtvec, t2
        check a5, 5
        j 1f
        .balign 256
vectors:
        j 2f
        .rept 31
        j fail
        .endr
2:      li a5, 5
        load_value t0, after_vectored
        csrw mepc, t0
        mret
1:
        // A handler at any multiple of four.
        .irp offset, 4, 8, 12, 20, 36
        test
        la t0, away_\offset
        csrw mtvec, t0
        li a5, 0
        load_value t0, back_\offset
        ecall
        j fail
        .balign 64
        .space \offset
away_\offset:
        li a5, \offset
        csrw mepc, t0
        li t1, MSTATUS_MPP
        csrs mstatus, t1
        mret
back_\offset:
        check a5, \offset
        .endr
        csrw mtvec, t2
        end
        .data
        .balign 8
words:  .4byte 0x03020100, 0x07060504, 0, 0, 0, 0, 0, 0
