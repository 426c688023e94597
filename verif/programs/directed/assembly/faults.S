// Bus errors of the test device: like accesses where nothing is, but on a bus that answers.
#include "directed.h"
        .macro refused cause, instruction, offset
        test
        li t0, DEVICE_FAULTS
        li t1, 0x600d
        expect_at recover_\@
        load_value s1, at_\@
at_\@:  \instruction t1, \offset(t0)
        j fail
recover_\@:
        check_trap \cause, DEVICE_FAULTS + \offset
        check t1, 0x600d
        .endm

        begin
        .irp offset, 0, 4, 8, 0x7fc
        refused CAUSE_LOAD_FAULT, lw, \offset
        refused CAUSE_STORE_FAULT, sw, \offset
        .endr
        .irp offset, 0, 1, 2, 3
        refused CAUSE_LOAD_FAULT, lb, \offset
        refused CAUSE_LOAD_FAULT, lbu, \offset
        refused CAUSE_STORE_FAULT, sb, \offset
        .endr
        .irp offset, 0, 2
        refused CAUSE_LOAD_FAULT, lh, \offset
        refused CAUSE_LOAD_FAULT, lhu, \offset
        refused CAUSE_STORE_FAULT, sh, \offset
        .endr

        // A fetch, by a jump.
        .irp offset, 0, 4, 8, 0x10
        test
        li s1, DEVICE_FAULTS + \offset
        expect_at 1f
        jr s1
1:      check_trap CAUSE_FETCH_FAULT, DEVICE_FAULTS + \offset
        .endr

        // One good access after another, then a bad one, then good ones: only the bad one traps.
        test
        la t2, word
        li t0, DEVICE_FAULTS
        li a4, 0
        li a5, 0
        sw zero, 0(t2)
        expect_at 1f
        load_value s1, 2f
        lw a4, 4(t2)
        sw a4, 0(t2)
        lw a5, 8(t2)
2:      lw a5, 0(t0)
        lw a4, 8(t2)
        sw a5, 4(t2)
        j fail
1:      check_trap CAUSE_LOAD_FAULT, DEVICE_FAULTS
        check a4, 0x11111111
        check a5, 0x22222222
        lw t1, 0(t2)
        check t1, 0x11111111
        lw t1, 4(t2)
        check t1, 0x11111111
        test
        expect_at 1f
        load_value s1, 2f
        sw zero, 0(t2)
2:      sw a5, 4(t0)
        sw a5, 0(t2)
        lw a5, 4(t2)
        j fail
1:      check_trap CAUSE_STORE_FAULT, DEVICE_FAULTS + 4
        check a5, 0x22222222
        lw t1, 0(t2)
        bnez t1, fail

        // What depends on the load that failed does not happen either.
        test
        expect_at 1f
        li t1, 5
        lw t1, 0(t0)
        addi t1, t1, 1
        sw t1, 0(t2)
        j fail
1:      check t1, 5
        lw t1, 0(t2)
        bnez t1, fail
        test
        expect_at 1f
        load_value t1, 2f
        lw t1, 0(t0)
        jr t1
2:      j fail
1:      check a0, CAUSE_LOAD_FAULT

        // A branch that is taken past a bad access, and one that is not.
        test
        beqz zero, 1f
        lw t1, 0(t0)
1:      li t1, 1
        bnez t1, 2f
        sw t1, 0(t0)
        lw t1, 0(t0)
2:      expect_at 3f
        load_value s1, 4f
        beqz t1, fail
4:      lw t1, 8(t0)
        j fail
3:      check_trap CAUSE_LOAD_FAULT, DEVICE_FAULTS + 8
        check t1, 1

        // What is fetched but never executed does no harm: code up to the device's end of good words.
        test
        li a5, 0
        li a4, 20
1:      addi a5, a5, 2
        addi a4, a4, -1
        bnez a4, 1b
        check a5, 40
        end
        .data
        .balign 16
word:   .4byte 0, 0x11111111, 0x22222222, 0
