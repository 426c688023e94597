// PMP registers: WARL fields, locks; and locked regions, which bind machine mode too.
// Source: privileged manual (20240411), 3.7.1.
#include "directed.h"
        begin
        // Each byte by itself; bits 5 and 6 read zero.
        .set index, 0
        .rept CONFIG_PMP_REGIONS / 4
        test
        li t0, 0x677f6b65               // bits 5 and 6 set as well
        csrw 0x3a0 + index, t0
        csrr t1, 0x3a0 + index
        check t1, 0x071f0b05
        csrw 0x3a0 + index, zero
        csrr t1, 0x3a0 + index
        bnez t1, fail
        .set index, index + 1
        .endr

        // R=0, W=1 is reserved: whatever becomes of it, it is not that.
        test
        li t0, 0x02
        csrw pmpcfg0, t0
        csrr t1, pmpcfg0
        andi t1, t1, 3
        li t2, 2
        beq t1, t2, fail
        csrw pmpcfg0, zero

        // Addresses: 32 bits, in units of four bytes; the smallest region is one word.
        .set index, 0
        .rept CONFIG_PMP_REGIONS
        test
        .irp value, 0x3fffffff, 0x15555555, 0x2aaaaaaa, 0
        li t0, \value
        csrw 0x3b0 + index, t0
        csrr t1, 0x3b0 + index
        check t1, \value
        .endr
        .set index, index + 1
        .endr

        // Entries that are not there read zero, or do not exist.
        // A lock holds its entry's configuration and address until reset.
        test
        la t2, guarded
        srli t0, t2, 2
        csrw pmpaddr1, t0
        li t0, 0x9100                   // entry 1: locked, NA4, read only
        csrw pmpcfg0, t0
        csrr t1, pmpcfg0
        check t1, 0x9100
        li t0, 0x1f1f1f1f
        csrw pmpcfg0, t0
        csrr t1, pmpcfg0
        check t1, 0x1f1f911f
        csrw pmpcfg0, zero
        csrr t1, pmpcfg0
        check t1, 0x9100
        csrr t0, pmpaddr1
        csrw pmpaddr1, zero
        csrr t1, pmpaddr1
        bne t0, t1, fail
        // The address before is free, as entry 1 is no top of range.
        li t0, 0x123
        csrw pmpaddr0, t0
        csrr t1, pmpaddr0
        bne t0, t1, fail
        csrw pmpaddr0, zero

        // Machine mode reads it, but does not write it; its neighbours are open.
        test
        lw t1, 0(t2)
        check t1, 0x11
        expect_trap CAUSE_STORE_FAULT, guarded, sw zero, 0(t2)
        expect_trap CAUSE_STORE_FAULT, guarded, sb zero, 0(t2)
        expect_trap CAUSE_STORE_FAULT, guarded + 3, sb zero, 3(t2)
        expect_trap CAUSE_STORE_FAULT, guarded + 2, sh zero, 2(t2)
        test
        lw t1, 0(t2)
        check t1, 0x11
        li t0, 0x55
        sw t0, -4(t2)
        sw t0, 4(t2)
        lw t1, 4(t2)
        check t1, 0x55
        // Nor is it executed.
        test
        expect_at 1f
        mv s1, t2
        jr t2
1:      check_trap CAUSE_FETCH_FAULT, guarded

        // A locked top of range locks the address before it as well.
        test
        la t2, range
        srli t0, t2, 2
        csrw pmpaddr2, t0
        addi t0, t0, 4
        csrw pmpaddr3, t0
        li t0, 0x8d009100               // entry 3: locked, TOR, read and execute
        csrw pmpcfg0, t0
        csrr t1, pmpcfg0
        check t1, 0x8d009100
        csrr t0, pmpaddr2
        csrw pmpaddr2, zero
        csrr t1, pmpaddr2
        bne t0, t1, fail
        csrw pmpaddr3, zero
        csrr t1, pmpaddr3
        addi t1, t1, -4
        bne t0, t1, fail
        lw t1, 0(t2)
        lw t1, 12(t2)
        expect_trap CAUSE_STORE_FAULT, range, sw zero, 0(t2)
        expect_trap CAUSE_STORE_FAULT, range + 12, sw zero, 12(t2)
        test
        sw zero, -4(t2)
        sw zero, 16(t2)
        // A lower entry that is not locked wins: machine mode may do everything there.
        test
        srli t0, t2, 2
        csrw pmpaddr0, t0
        li t0, 0x8d009110
        csrw pmpcfg0, t0
        sw zero, 0(t2)
        expect_trap CAUSE_STORE_FAULT, range + 4, sw zero, 4(t2)

        // An entry that is locked while off is locked all the same.
        test
        csrw pmpaddr0, zero
        li t0, 0x8d009180
        csrw pmpcfg0, t0
        csrr t1, pmpcfg0
        check t1, 0x8d009180
        li t0, 0x9f
        csrw pmpcfg0, t0
        csrr t1, pmpcfg0
        check t1, 0x8d009180
        csrw pmpaddr0, t0
        csrr t1, pmpaddr0
        bnez t1, fail
        end
        .data
        .balign 64
        .4byte 0
guarded: .4byte 0x11
        .4byte 0
        .space 52
range:  .space 64
