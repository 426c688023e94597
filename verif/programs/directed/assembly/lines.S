// Interrupt lines by the test device: external and local ones, their priority, vectors, WFI.
// Source: privileged manual (20240411), 3.1.9; local interrupts: the highest number goes first.
#include "directed.h"

// Raise lines now, as a mask of mip, and wait until they are seen.
        .macro raise mask
        li t0, DEVICE
        li t1, \mask
        sw t1, DEVICE_LINES(t0)
raise_\@:
        csrr t0, mip
        and t0, t0, t1
        bne t0, t1, raise_\@
        .endm

        .macro quiet
        li t0, DEVICE
        sw zero, DEVICE_LINES(t0)
        li t1, (DEVICE_EXTERNAL | ((1 << CONFIG_LOCAL_INTERRUPTS) - 1) << 16)
        wait_clear mip, t1
        .endm

// With all of these pending and enabled, this one is taken.
        .macro first cause, mask
        test
        raise \mask
        li t0, \mask
        csrw mie, t0
        expect_at taken_\@
        csrsi mstatus, MSTATUS_MIE
        nop
        nop
        nop
        j fail
taken_\@:
        check a0, 0x80000000 + \cause
        csrci mstatus, MSTATUS_MIE
        csrw mie, zero
        .endm

        begin
        first 11, DEVICE_EXTERNAL
        quiet
#if CONFIG_LOCAL_INTERRUPTS
        .set line, 0
        .rept CONFIG_LOCAL_INTERRUPTS
        first 16 + line, 0x10000 << line
        quiet
        // The higher one of two; an external one before both.
        .if line
        first 16 + line, 0x18000 << line
        first 11, (0x18000 << line) | DEVICE_EXTERNAL
        quiet
        .endif
        // It is not taken when only another is enabled.
        test
        raise 0x10000 << line
        li t0, (0x888 | ((1 << CONFIG_LOCAL_INTERRUPTS) - 1) << 16) & ~(0x10000 << line)
        csrw mie, t0
        csrsi mstatus, MSTATUS_MIE
        nop
        nop
        csrci mstatus, MSTATUS_MIE
        quiet
        .set line, line + 1
        .endr
#endif
        // External before software before timer before local.
        test
        li t0, CLINT_MTIMECMP
        sw zero, 4(t0)
        sw zero, 0(t0)
        li t0, CLINT_MSIP
        li t1, 1
        sw t1, 0(t0)
        li t1, 0x088
1:      csrr t0, mip
        and t0, t0, t1
        bne t0, t1, 1b
#if CONFIG_LOCAL_INTERRUPTS
#define LOCAL_0 0x10000
#else
#define LOCAL_0 0
#endif
        .macro next cause, mask
        test
        li t0, \mask
        csrw mie, t0
        expect_at next_\@
        csrsi mstatus, MSTATUS_MIE
        nop
        nop
        j fail
next_\@:
        check a0, 0x80000000 + \cause
        csrci mstatus, MSTATUS_MIE
        .endm
        raise DEVICE_EXTERNAL | LOCAL_0
        next 11, 0x888 | LOCAL_0
        next 3, 0x088 | LOCAL_0
        next 7, 0x080 | LOCAL_0
        next 11, 0x880 | LOCAL_0
        next 3, 0x008 | LOCAL_0
#if CONFIG_LOCAL_INTERRUPTS
        next 16, LOCAL_0
#endif
        quiet
        li t0, CLINT_MSIP
        sw zero, 0(t0)
        li t0, CLINT_MTIMECMP
        li t1, -1
        sw t1, 4(t0)
        li t1, 0x088
        wait_clear mip, t1

        // Vectors: the base and four bytes a cause.
        csrr a5, mtvec
        la t0, vectors + 1
        csrw mtvec, t0
        .macro vectored cause
        test
        raise 1 << (\cause)
        li t0, 1 << (\cause)
        csrw mie, t0
        li a4, 0
        load_value s1, back_\@
        csrsi mstatus, MSTATUS_MIE
        nop
        nop
        j fail
back_\@:
        csrci mstatus, MSTATUS_MIE
        check a4, \cause
        quiet
        .endm
        vectored 11
        .set line, 0
        .rept CONFIG_LOCAL_INTERRUPTS
        vectored 16 + line
        .set line, line + 1
        .endr
        csrw mtvec, a5
        j 1f
        .balign 256
        .option push
        .option norvc
vectors:
        .set line, 0
        .rept 32
        jal a4, served
        .set line, line + 1
        .endr
        .option pop
served:
        // The link tells which entry it was.
        load_value t0, vectors + 4
        sub a4, a4, t0
        srli a4, a4, 2
        csrw mepc, s1
        li t0, MSTATUS_MPIE
        csrc mstatus, t0
        mret
1:
        // WFI sleeps until a line that is enabled comes, exactly that long.
        test
        li t0, DEVICE_EXTERNAL
        csrw mie, t0
        li t0, DEVICE
        li t1, (100 << 16) | 11
        lw a4, 8(t0)
        sw t1, DEVICE_LATER(t0)
        wfi
        lw t2, 8(t0)
        csrr t1, mip
        li tp, DEVICE_EXTERNAL
        and t1, t1, tp
        beqz t1, fail
        sub t2, t2, a4
        li t1, 100
        bltu t2, t1, fail
        li t1, 200
        bgeu t2, t1, fail
        // Pending: it does not sleep.
        test
        lw a4, 8(t0)
        wfi
        wfi
        wfi
        lw t2, 8(t0)
        sub t2, t2, a4
        li t1, 100
        bgeu t2, t1, fail
        // The interrupt is taken with mepc behind the WFI.
        test
        quiet
        li t0, DEVICE
        li t1, (50 << 16) | 11
        sw t1, DEVICE_LATER(t0)
        expect_at 1f
        load_value s1, 2f
        csrsi mstatus, MSTATUS_MIE
        li t2, 0
        wfi
2:      addi t2, t2, 1
        addi t2, t2, 1
        j fail
1:      check_trap 0x8000000b, 0
        bnez t2, fail
        csrci mstatus, MSTATUS_MIE
        // A line that is not enabled does not wake it: the enabled one comes later.
        test
        quiet
        csrw mie, zero
        raise DEVICE_EXTERNAL
        li t1, 0x080
        csrw mie, t1
        li t0, CLINT_MTIME
        lw t1, 0(t0)
        addi t1, t1, 300
        li t0, CLINT_MTIMECMP
        sw t1, 0(t0)
        sw zero, 4(t0)
        wfi
        csrr t1, mip
        andi t1, t1, 0x080
        beqz t1, fail
        end
