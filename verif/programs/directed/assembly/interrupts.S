// Software and timer interrupts by the CLINT: enables, priority, vectors, where they return, WFI.
// Source: privileged manual (20240411), 3.1.6.1, 3.1.7, 3.1.9, 3.2.1, 3.3.3.
#include "directed.h"
#define MSIP 0x008
#define MTIP 0x080

        .macro software_set
        li t0, CLINT_MSIP
        li t1, 1
        sw t1, 0(t0)
        li t1, MSIP
        wait_set mip, t1
        .endm

        .macro software_clear
        li t0, CLINT_MSIP
        sw zero, 0(t0)
        li t1, MSIP
        wait_clear mip, t1
        .endm

        // The timer is due since ever, or never.
        .macro timer_set
        li t0, CLINT_MTIMECMP
        sw zero, 0(t0)
        sw zero, 4(t0)
        li t1, MTIP
        wait_set mip, t1
        .endm

        .macro timer_clear
        li t0, CLINT_MTIMECMP
        li t1, -1
        sw t1, 4(t0)
        li t1, MTIP
        wait_clear mip, t1
        .endm

        begin
        timer_clear
        software_clear

        // Pending, but nothing is enabled; enabled in mie, but not in mstatus; and the other way round.
        test
        csrw mie, zero
        csrsi mstatus, MSTATUS_MIE
        software_set
        nop
        nop
        csrci mstatus, MSTATUS_MIE
        csrsi mie, MSIP
        nop
        nop
        nop
        csrw mie, zero
        li t0, 0x880
        csrs mie, t0
        csrsi mstatus, MSTATUS_MIE
        nop
        nop
        csrci mstatus, MSTATUS_MIE
        csrw mie, zero

        // Enabled: it comes before the next instruction but one at the latest, and mepc is right.
        test
        csrsi mie, MSIP
        expect_at 1f
        li t2, 0
        csrsi mstatus, MSTATUS_MIE
first_2:
        addi t2, t2, 1
        addi t2, t2, 1
        addi t2, t2, 1
        j fail
1:      check a0, 0x80000003
        // The write of mstatus takes effect for the next instruction.
        bnez t2, fail
        load_value t0, first_2
        bne a1, t0, fail
        li t0, MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP
        and t1, a3, t0
        check t1, (MSTATUS_MPIE | MSTATUS_MPP)
        csrci mstatus, MSTATUS_MIE

        // By mie as well.
        test
        csrw mie, zero
        csrsi mstatus, MSTATUS_MIE
        expect_at 1f
        li t2, 0
        csrsi mie, MSIP
second_2:
        addi t2, t2, 1
        addi t2, t2, 1
        j fail
1:      check a0, 0x80000003
        bnez t2, fail
        load_value t0, second_2
        bne a1, t0, fail
        csrci mstatus, MSTATUS_MIE

        // By MRET, at its target.
        test
        expect_at 1f
        li t0, MSTATUS_MPIE | MSTATUS_MPP
        csrs mstatus, t0
        load_value s1, third
        csrw mepc, s1
        mret
        j fail
third:  j fail
1:      check a0, 0x80000003
        bne a1, s1, fail
        csrci mstatus, MSTATUS_MIE
        software_clear

        // The timer by itself.
        test
        csrw mie, zero
        timer_set
        li t0, MTIP
        csrs mie, t0
        expect_at 1f
        csrsi mstatus, MSTATUS_MIE
        nop
        nop
        j fail
1:      check a0, 0x80000007
        csrci mstatus, MSTATUS_MIE

        // Both: the software interrupt goes first, then the timer.
        test
        software_set
        li t0, MTIP | MSIP
        csrs mie, t0
        expect_at 1f
        csrsi mstatus, MSTATUS_MIE
        nop
        nop
        j fail
1:      check a0, 0x80000003
        csrci mstatus, MSTATUS_MIE
        software_clear
        expect_at 1f
        csrsi mstatus, MSTATUS_MIE
        nop
        nop
        j fail
1:      check a0, 0x80000007
        csrci mstatus, MSTATUS_MIE

        // mip shows what is pending.
        test
        csrr t0, mip
        andi t0, t0, MTIP | MSIP
        check t0, MTIP
        software_set
        csrr t0, mip
        andi t0, t0, MTIP | MSIP
        check t0, MTIP | MSIP
        timer_clear
        csrr t0, mip
        andi t0, t0, MTIP | MSIP
        check t0, MSIP

        // Vectored: four bytes a cause.
        test
        csrr a5, mtvec
        la t0, vectors + 1
        csrw mtvec, t0
        li t0, MTIP | MSIP
        csrs mie, t0
        li a4, 0
        load_value a0, 1f
        csrsi mstatus, MSTATUS_MIE
        nop
        nop
        j fail
1:      csrci mstatus, MSTATUS_MIE
        check a4, 3
        software_clear
        timer_set
        li a4, 0
        load_value a0, 1f
        csrsi mstatus, MSTATUS_MIE
        nop
        nop
        j fail
1:      csrci mstatus, MSTATUS_MIE
        check a4, 7
        j 1f
        .balign 256
        .option push
        .option norvc
vectors:
        .set cause, 0
        .rept 32
        .if cause == 3
        j vector_3
        .elseif cause == 7
        j vector_7
        .else
        j fail
        .endif
        .set cause, cause + 1
        .endr
        .option pop
vector_3:
        addi a4, a4, -4
vector_7:
        addi a4, a4, 7
        csrw mepc, a0
        li t0, MSTATUS_MPIE
        csrc mstatus, t0
        li t0, MSTATUS_MPP
        csrs mstatus, t0
        mret
1:      csrw mtvec, a5

        // WFI goes on when an enabled interrupt is pending, also when mstatus.MIE is clear.
        test
        csrw mie, zero
        li t1, MTIP
        csrs mie, t1
        li t2, 7
        wfi
        addi t2, t2, 1
        check t2, 8
        // It wakes up by itself when the time has come.
        test
        timer_clear
        call arm
        wfi
        li t1, MTIP
        wait_set mip, t1
        // With MIE set the interrupt is taken behind it.
        test
        timer_clear
        expect_at 1f
        csrsi mstatus, MSTATUS_MIE
        call arm
        li t2, 7
        wfi
        .rept 8
        addi t2, t2, 1
        .endr
        // WFI may end early by the specification.
        j .
1:      check a0, 0x80000007
        csrci mstatus, MSTATUS_MIE
        // An interrupt that nobody enabled wakes nobody, but the other one does.
        test
        software_set
        timer_clear
        csrw mie, zero
        li t1, MTIP
        csrs mie, t1
        call arm
        wfi
        li t1, MTIP
        wait_set mip, t1
        software_clear

        // A handler that is interrupted itself: software within timer.
        test
        la t0, outer
        csrw mtvec, t0
        csrw mscratch, zero
        li t0, MTIP | MSIP
        csrw mie, t0
        li a5, 0
        timer_set
        load_value s1, 1f
        csrsi mstatus, MSTATUS_MIE
1:      nop
        nop
        csrci mstatus, MSTATUS_MIE
        check a5, 0x123
        j 1f
        .balign 64
outer:
        csrr t0, mcause
        check t0, 0x80000007
        csrr t0, mepc
        bne t0, s1, fail
        la t0, inner
        csrw mtvec, t0
        addi a5, a5, 0x100
        // Let the software interrupt in, and set it.
        li t0, MTIP
        csrc mie, t0
        csrsi mstatus, MSTATUS_MIE
        li t0, CLINT_MSIP
        li t1, 1
        sw t1, 0(t0)
2:      andi t1, a5, 0x20
        beqz t1, 2b
        csrci mstatus, MSTATUS_MIE
        addi a5, a5, 3
        timer_clear
        li t0, MSTATUS_MPP | MSTATUS_MPIE
        csrs mstatus, t0
        csrw mepc, s1
        mret
        .balign 64
inner:
        csrr a4, mcause
        check a4, 0x80000003
        csrr a4, mstatus
        andi a4, a4, MSTATUS_MIE
        bnez a4, fail
        addi a5, a5, 0x20
        li a4, CLINT_MSIP
        sw zero, 0(a4)
        li t1, MSIP
        wait_clear mip, t1
        li t1, 0
        mret
1:      j pass

        // The timer is due soon, the way a careful program writes it.
arm:
        li t0, CLINT_MTIME
        lw t1, 0(t0)
        addi t1, t1, 100
        li t0, CLINT_MTIMECMP
        sw t1, 0(t0)
        sw zero, 4(t0)
        ret
        end
