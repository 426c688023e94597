// User mode: what it may not do, how it is entered and left, MPRV, TW, mcounteren.
// Source: privileged manual (20240411), 2.1, 3.1.6, 3.1.11, 3.3.2, 3.3.3.
#include "directed.h"
        begin
        open_memory

        expect_user_trap CAUSE_ECALL_U, 0, ecall
        expect_user_trap CAUSE_BREAKPOINT, user_break, user_break: ebreak
        expect_user_illegal mret
        expect_user_illegal sret
        expect_user_illegal .4byte 0x7b200073           // dret
        expect_user_illegal .4byte 0x12000073           // sfence.vma

        // No machine CSR, neither read nor written.
        .irp csr, mstatus, misa, mie, mtvec, mcounteren, 0x30a, 0x310, 0x31a, 0x320, 0x323, mscratch, mepc, mcause, mtval, mip, mcycle, minstret, mcycleh, minstreth, 0xb03, mvendorid, mhartid, 0xf15
        expect_user_illegal csrrs t1, \csr, zero
        expect_user_illegal csrrw zero, \csr, zero
        .endr
#if CONFIG_PMP_REGIONS
        expect_user_illegal csrrs t1, pmpcfg0, zero
        expect_user_illegal csrrw zero, pmpaddr0, zero
#endif
        expect_user_illegal csrrs t1, 0x7b0, zero
        expect_user_illegal csrrs t1, 0x100, zero

        // Plain instructions work there; the traps of the others are the same.
        expect_user_trap CAUSE_ILLEGAL, 0x00003003, .4byte 0x00003003
        test
        expect_at 1f
        la t0, word
        li t1, 0x1234
        enter_user 2f
2:      sw t1, 0(t0)
        lw t2, 0(t0)
        add t2, t2, t2
        fence
        fence.i
        ecall
1:      check t2, 0x2468
        li t0, CAUSE_LOAD_MISALIGNED
        la t0, word + 1
        expect_user_trap CAUSE_LOAD_MISALIGNED, word + 1, lw t1, 0(t0)
        expect_user_trap CAUSE_STORE_MISALIGNED, word + 1, sw t1, 0(t0)
        li t0, 0x40000000
        expect_user_trap CAUSE_LOAD_FAULT, 0x40000000, lw t1, 0(t0)
        expect_user_trap CAUSE_STORE_FAULT, 0x40000000, sw t1, 0(t0)

        // mstatus on the way: MPP user, MPIE what MIE was; after MRET of the handler MPP is user.
        test
        csrw mie, zero
        li t0, MSTATUS_MIE | MSTATUS_MPIE
        csrc mstatus, t0
        csrsi mstatus, MSTATUS_MIE
        expect_at 1f
        // Entry copies MPIE, which is clear, to MIE, and sets MPIE.
        enter_user 2f
2:      ecall
1:      li t0, MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP
        and t1, a3, t0
        bnez t1, fail
        test
        li t0, MSTATUS_MPIE
        csrs mstatus, t0
        expect_at 1f
        enter_user 2f
2:      ecall
1:      li t0, MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP
        and t1, a3, t0
        check t1, MSTATUS_MPIE
        csrci mstatus, MSTATUS_MIE

        // MRET to machine mode leaves MPP user, and MRET to user mode clears MPRV.
        test
        li t0, MSTATUS_MPP | MSTATUS_MPRV
        csrs mstatus, t0
        load_value t1, 1f
        csrw mepc, t1
        mret
1:      csrr t1, mstatus
        and t1, t1, t0
        check t1, MSTATUS_MPRV
        test
        expect_at 1f
        enter_user 2f
2:      ecall
1:      li t0, MSTATUS_MPRV
        and t1, a3, t0
        bnez t1, fail
        csrr t1, mstatus
        and t1, t1, t0
        bnez t1, fail

        // TW: WFI traps in user mode, never in machine mode. Without TW a pending interrupt lets it go on.
        test
        csrci mstatus, MSTATUS_MIE
        li t0, MSTATUS_TW
        csrs mstatus, t0
        li t1, 8
        csrs mie, t1
        li t2, CLINT_MSIP
        li t1, 1
        sw t1, 0(t2)
        li t1, 8
        wait_set mip, t1
        wfi
        csrw mie, zero
        expect_user_illegal wfi
        test
        li t0, MSTATUS_TW
        csrc mstatus, t0
        sw zero, 0(t2)

#if CONFIG_ZICNTR
        // mcounteren opens each counter by itself.
        csrw mcounteren, zero
        .irp csr, 0xc00, 0xc01, 0xc02, 0xc80, 0xc81, 0xc82, 0xc03
        expect_user_illegal csrrs t1, \csr, zero
        .endr
        .macro opened bit, csr, other_1, other_2
        csrwi mcounteren, 1 << \bit
        test
        expect_at 1f
        li t1, 0
        enter_user 2f
2:      csrr t0, \csr
        csrr t1, (\csr + 0x80)
        li t2, 5
        ecall
1:      check a0, CAUSE_ECALL_U
        check t2, 5
        expect_user_illegal csrrs t1, \other_1, zero
        expect_user_illegal csrrs t1, \other_2, zero
        expect_user_illegal csrrs t1, \other_1 + 0x80, zero
        expect_user_illegal csrrs t1, \other_2 + 0x80, zero
        expect_user_illegal csrrw zero, \csr, zero
        .endm
        opened 0, 0xc00, 0xc01, 0xc02
        opened 1, 0xc01, 0xc00, 0xc02
        opened 2, 0xc02, 0xc00, 0xc01
        // Machine mode needs no permission.
        test
        csrw mcounteren, zero
        csrr t0, cycle
        csrr t0, time
        csrr t0, instret
#endif

        // Jumps back and forth: each ECALL brings a number, each MRET goes on behind it.
        test
        csrr t2, mtvec
        la t0, service
        csrw mtvec, t0
        li a5, 0
        li a4, 5
        enter_user 1f
        .balign 4
1:      addi a5, a5, 1
        ecall
        addi a5, a5, 16
        addi a4, a4, -1
        bnez a4, 1b
        ecall
        j fail
        .balign 64
service:
        csrr t0, mcause
        li t1, CAUSE_ECALL_U
        bne t0, t1, fail
        csrr t0, mepc
        addi t0, t0, 4
        csrw mepc, t0
        addi a5, a5, 0x100
        beqz a4, 2f
        mret
2:      csrw mtvec, t2
        check a5, (5 * 0x111 + 0x100)

        // Interrupts are taken in user mode whatever MIE says.
        test
        csrw mie, zero
        csrci mstatus, MSTATUS_MIE
        li t0, MSTATUS_MPIE
        csrc mstatus, t0
        li t2, CLINT_MSIP
        li t1, 1
        sw t1, 0(t2)
        li t1, 8
        wait_set mip, t1
        csrsi mie, 8
        expect_at 1f
        load_value s1, 2f
        enter_user 2f
        // Pending already: not one instruction of user mode is executed.
2:      j fail
1:      check_trap 0x80000003, 0
        li t1, MSTATUS_MPP
        and t1, a3, t1
        bnez t1, fail
        sw zero, 0(t2)
        csrw mie, zero
        end
        .data
        .balign 8
word:   .space 8
