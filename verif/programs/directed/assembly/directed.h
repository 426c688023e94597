// What every directed test shares: start, pass and fail, the trap handler, checks.
//
// Registers are those that RV32E has. `gp` holds the number of the test, so that
// a failure names it; `tp` is scratch of the macros; mscratch is where the trap
// handler returns to, or 0 when no trap is expected; `s1` is the pc that must
// trap. A trap leaves mcause, mepc, mtval, mstatus in a0 to a3, and clobbers s0.
//
// A program:      #include "directed.h"
//                 begin
//                 test                      // the next number
//                 ...
//                 check a0, 5               // or else fail
//                 end

#ifndef DIRECTED_H
#define DIRECTED_H

#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_FAULT 1
#define CAUSE_ILLEGAL 2
#define CAUSE_BREAKPOINT 3
#define CAUSE_LOAD_MISALIGNED 4
#define CAUSE_LOAD_FAULT 5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_FAULT 7
#define CAUSE_ECALL_U 8
#define CAUSE_ECALL_M 11

#define MSTATUS_MIE 0x8
#define MSTATUS_MPIE 0x80
#define MSTATUS_MPP 0x1800
#define MSTATUS_MPRV 0x20000
#define MSTATUS_TW 0x200000

#define CLINT_MSIP 0x02000000
#define CLINT_MTIMECMP 0x02004000
#define CLINT_MTIME 0x0200BFF8

// The test device of the simulation harness.
#define DEVICE 0x10000000
#define DEVICE_LINES 0x10
#define DEVICE_LATER 0x14
#define DEVICE_FAULTS 0x10000800
#define DEVICE_EXTERNAL 0x800

        .set number, 0

// Start of the program: registers that matter, the trap handler, data space.
        .macro begin
        .section .text.start, "ax"
        .globl _start
_start:
        li gp, 0
        csrw mscratch, zero
        la sp, stack_top
        la tp, trap_handler
        csrw mtvec, tp
        j main
        .text
        .balign 4
main:
        .endm

// Pass, fail, and the trap handler. Nothing may follow in .text.
        .macro end
        .balign 4
pass:
        li gp, 0
fail:
        // tohost = number << 1 | 1, again and again until the simulation has ended.
        csrw mie, zero
        slli gp, gp, 1
        ori gp, gp, 1
        la tp, tohost
tell:   sw gp, 0(tp)
        sw zero, 4(tp)
        j tell
        .balign 64
trap_handler:
        csrrw s0, mscratch, zero
        beqz s0, fail
        csrr a0, mcause
        csrr a1, mepc
        csrr a2, mtval
        csrr a3, mstatus
        csrw mepc, s0
        li tp, MSTATUS_MPP
        csrs mstatus, tp
        bgez a0, of_exception
        // Of an interrupt: it is still pending, and must not come again at once.
        li tp, MSTATUS_MPIE
        csrc mstatus, tp
of_exception:
        mret

        .section .tohost, "aw", @nobits
        .balign 64
        .globl tohost
tohost: .space 8
        .balign 64
        .globl fromhost
fromhost: .space 8
        .endm

// The next number: in gp, and as a label that debuggers and reports find.
        .macro number_label n
        .globl test_\n
test_\n:
        .endm

        .macro test
        .set number, number + 1
        .altmacro
        number_label %number
        .noaltmacro
        li gp, number
        .endm

// Load any constant or address; always the same two instructions.
        .macro load_value register, value
        lui \register, %hi(\value)
        addi \register, \register, %lo(\value)
        .endm

        .macro check register, value
        load_value tp, \value
        bne \register, tp, fail
        .endm

// What a trap left: cause, pc in s1, value.
        .macro check_trap cause, value
        check a0, \cause
        bne a1, s1, fail
        check a2, \value
        .endm

// The next trap is expected, and goes on at a label. Clobbers tp.
        .macro expect_at label
        load_value tp, \label
        csrw mscratch, tp
        .endm

// The instruction must trap, with this cause and this mtval.
        .macro expect_trap cause, value, instruction:vararg
        test
        expect_at recover_\@
        load_value s1, at_\@
at_\@:  \instruction
        j fail
recover_\@:
        check_trap \cause, \value
        .endm

// The instruction must trap, with its own pc as mtval.
        .macro expect_trap_pc cause, instruction:vararg
        test
        expect_at recover_\@
        load_value s1, at_\@
at_\@:  \instruction
        j fail
recover_\@:
        check_trap \cause, at_\@
        .endm

// This word, or the instruction of 32 bits, must be illegal; mtval is its bits.
        .macro expect_illegal_word word
        expect_trap CAUSE_ILLEGAL, \word, .4byte \word
        .endm

        .macro expect_illegal_half half
        expect_trap CAUSE_ILLEGAL, \half, .2byte \half
        .endm

        .macro expect_illegal instruction:vararg
        test
        expect_at recover_\@
        load_value s1, at_\@
        .balign 4
        .option push
        .option norvc
at_\@:  \instruction
        .option pop
        j fail
recover_\@:
        check a0, CAUSE_ILLEGAL
        bne a1, s1, fail
        lw tp, 0(s1)
        bne a2, tp, fail
        .endm

// Loops until a CSR has a bit (of the mask in a register) set.
        .macro wait_set csr, register
wait_\@:
        csrr tp, \csr
        and tp, tp, \register
        beqz tp, wait_\@
        .endm

        .macro wait_clear csr, register
wait_\@:
        csrr tp, \csr
        and tp, tp, \register
        bnez tp, wait_\@
        .endm

#if CONFIG_USER_MODE
// Let user mode access everything. Clobbers tp.
        .macro open_memory
#if CONFIG_PMP_REGIONS
        li tp, -1
        csrw pmpaddr0, tp
        li tp, 0x1f
        csrw pmpcfg0, tp
#endif
        .endm

// Go on at a label in user mode. Clobbers tp.
        .macro enter_user label
        li tp, MSTATUS_MPP
        csrc mstatus, tp
        la tp, \label
        csrw mepc, tp
        mret
        .endm

// The instruction must trap in user mode; afterwards the mode is machine mode.
        .macro expect_user_trap cause, value, instruction:vararg
        test
        expect_at recover_\@
        load_value s1, at_\@
        enter_user at_\@
        .balign 4
at_\@:  \instruction
        ecall
recover_\@:
        check_trap \cause, \value
        // MPP says where the trap came from.
        load_value tp, MSTATUS_MPP
        and tp, tp, a3
        bnez tp, fail
        .endm

        .macro expect_user_illegal instruction:vararg
        test
        expect_at recover_\@
        load_value s1, at_\@
        enter_user at_\@
        .balign 4
        .option push
        .option norvc
at_\@:  \instruction
        .option pop
        ecall
recover_\@:
        check a0, CAUSE_ILLEGAL
        bne a1, s1, fail
        lw tp, 0(s1)
        bne a2, tp, fail
        .endm
#endif

#endif
