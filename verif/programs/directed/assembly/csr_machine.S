// Machine CSRs: what they hold, which bits can be written, which writes are refused.
// Source: privileged manual (20240411), sections 2.1 and 3.1.
#include "directed.h"

// A register of 32 plain bits.
        .macro plain csr
        test
        .irp value, 0xffffffff, 0x00000000, 0x55555555, 0xaaaaaaaa, 0x80000001
        li t0, \value
        csrw \csr, t0
        csrr t1, \csr
        check t1, \value
        .endr
        .endm

// Only these bits can be written; the others read as given.
        .macro masked csr, mask, others=0
        test
        li t0, -1
        csrw \csr, t0
        csrr t1, \csr
        check t1, ((\mask) | (\others))
        csrw \csr, zero
        csrr t1, \csr
        check t1, \others
        li t0, -1
        csrs \csr, t0
        csrr t1, \csr
        check t1, ((\mask) | (\others))
        csrc \csr, t0
        csrr t1, \csr
        check t1, \others
        .endm

// Reads this, whatever is written; and the write is not refused.
        .macro constant csr, value
        test
        li t0, -1
        csrw \csr, t0
        csrr t1, \csr
        check t1, \value
        csrw \csr, zero
        csrr t1, \csr
        check t1, \value
        .endm

// In the read-only quarter: every write is illegal, every form that only reads is not.
        .macro read_only csr
        test
        csrr t0, \csr
        csrrs t1, \csr, zero
        bne t0, t1, fail
        csrrc t1, \csr, zero
        bne t0, t1, fail
        csrrsi t1, \csr, 0
        bne t0, t1, fail
        csrrci t1, \csr, 0
        bne t0, t1, fail
        li t2, 0
        expect_illegal csrrw t1, \csr, zero
        expect_illegal csrrw zero, \csr, t0
        // A register that holds zero is a write all the same.
        expect_illegal csrrs t1, \csr, t2
        expect_illegal csrrc t1, \csr, t2
        expect_illegal csrrwi t1, \csr, 0
        expect_illegal csrrsi t1, \csr, 1
        expect_illegal csrrci t1, \csr, 31
        test
        csrr t1, \csr
        bne t0, t1, fail
        .endm

        .macro absent csr
        expect_illegal csrrs t1, \csr, zero
        expect_illegal csrrw zero, \csr, zero
        expect_illegal csrrci t1, \csr, 0
        .endm

        begin
        // Reset: machine mode, interrupts off, in all and each; no cause.
        test
        csrr t0, mstatus
        li t1, MSTATUS_MIE | MSTATUS_MPRV | MSTATUS_TW
        and t0, t0, t1
        bnez t0, fail
        test
        csrr t0, mcause
        bnez t0, fail

        // Identification.
        read_only mvendorid
        read_only marchid
        read_only mimpid
        read_only mhartid
        read_only 0xf15
        test
        csrr t0, mhartid
        check t0, CONFIG_HART_ID
        csrr t0, 0xf15
        bnez t0, fail
        csrr t0, mvendorid
        bnez t0, fail
        test
        csrr t0, misa
        check t0, (0x40000000 | CONFIG_A | (CONFIG_ZBA & CONFIG_ZBB & CONFIG_ZBS) << 1 | CONFIG_C << 2 | CONFIG_E << 4 | (1 - CONFIG_E) << 8 | CONFIG_M << 12 | CONFIG_USER_MODE << 20 | CONFIG_CUSTOM_UNIT << 23)

        // Trap registers.
        plain mscratch
        csrw mscratch, zero
        plain mtval
#if CONFIG_C
        masked mepc, 0xfffffffe
#else
        masked mepc, 0xfffffffc
#endif
        test
        .irp value, 0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 0x80000003, 0x80000007, 0x8000000b
        li t0, \value
        csrw mcause, t0
        csrr t1, mcause
        check t1, \value
        .endr

        // mtvec: any multiple of 4 in direct mode; vectored, at least one that is aligned well.
        csrr t2, mtvec
        test
        .irp value, 0x80000100, 0x80000200, 0x00000000, 0xfffffffc, 0x00000004, 0x55555554, 0xaaaaaaa8
        li t0, \value
        csrw mtvec, t0
        csrr t1, mtvec
        check t1, \value
        .endr
        test
        .irp value, 0x80000101, 0x00000001, 0xffffff01, 0x55555501, 0xaaaaaa01
        li t0, \value
        csrw mtvec, t0
        csrr t1, mtvec
        check t1, \value
        .endr
        // Modes 2 and 3 are reserved: they are not kept.
        test
        li t0, 0x80000102
        csrw mtvec, t0
        csrr t1, mtvec
        andi t1, t1, 2
        bnez t1, fail
        csrw mtvec, t2

        // mstatus and its high half.
#if CONFIG_USER_MODE
        masked mstatus, (MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MPRV | MSTATUS_TW)
#else
        masked mstatus, (MSTATUS_MIE | MSTATUS_MPIE), MSTATUS_MPP
#endif
        constant 0x310, 0
#if CONFIG_USER_MODE
        // MPP: machine and user mode; what is written of the others becomes one that there is.
        .irp value, 0, 0x1800
        test
        li t0, MSTATUS_MPP
        csrc mstatus, t0
        li t0, \value
        csrs mstatus, t0
        csrr t1, mstatus
        li t0, MSTATUS_MPP
        and t1, t1, t0
        check t1, \value
        .endr
        .irp value, 0x800, 0x1000
        test
        li t0, MSTATUS_MPP
        csrc mstatus, t0
        li t0, \value
        csrs mstatus, t0
        csrr t1, mstatus
        li t0, MSTATUS_MPP
        and t1, t1, t0
        beqz t1, 1f
        bne t1, t0, fail
1:
        .endr
#endif

        // Interrupts. mie has one bit an interrupt; no bit of mip is written by software here.
        masked mie, (0x888 | ((1 << CONFIG_LOCAL_INTERRUPTS) - 1) << 16)
        test
        csrw mie, zero
        csrr t0, mip
        li t1, -1
        csrw mip, t1
        csrr t1, mip
        bne t0, t1, fail
        csrw mip, zero
        csrr t1, mip
        bne t0, t1, fail

        // Counters that are not there read zero, and take writes.
        .irp n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        test
        li t0, -1
        csrw (0xb00 + \n), t0
        csrr t1, (0xb00 + \n)
        bnez t1, fail
        csrw (0xb80 + \n), t0
        csrr t1, (0xb80 + \n)
        bnez t1, fail
        csrw (0x320 + \n), t0
        csrr t1, (0x320 + \n)
        bnez t1, fail
        .endr
#if CONFIG_ZICNTR
        masked 0x320, 5
        // Anything but read-only would be found by the counters' own test.
        read_only_counters:
        .irp csr, 0xc00, 0xc01, 0xc02, 0xc80, 0xc81, 0xc82
        expect_illegal csrrw zero, \csr, zero
        expect_illegal csrrs t1, \csr, t0
        expect_illegal csrrsi t1, \csr, 1
        .endr
#else
        absent 0xc00
        absent 0xc02
        absent 0xc80
        absent 0xc82
#endif
        .irp csr, 0xc03, 0xc1f, 0xc83, 0xc9f
        absent \csr
        .endr

#if CONFIG_USER_MODE
#if CONFIG_ZICNTR
        masked mcounteren, 7
#endif
        // menvcfg: FIOM may be there or not, without supervisor mode it means little.
        test
        li t0, -1
        csrw 0x30a, t0
        csrr t1, 0x30a
        andi t1, t1, -2
        bnez t1, fail
        csrw 0x30a, zero
        csrr t1, 0x30a
        bnez t1, fail
        constant 0x31a, 0
#else
        absent mcounteren
        absent 0x30a
        absent 0x31a
#endif

#if !CONFIG_PMP_REGIONS
        absent 0x3a0
        absent 0x3b0
        absent 0x3af
        absent 0x3ef
#endif
        // What belongs to extensions and modes that are not there: F, V, S, H, delegation, debug.
        .irp csr, 0x001, 0x002, 0x003, 0x008, 0x00f, 0x100, 0x104, 0x105, 0x106, 0x140, 0x141, 0x142, 0x143, 0x144, 0x180
        absent \csr
        .endr
        .irp csr, 0x302, 0x303, 0x312, 0x313, 0x34a, 0x34b, 0x600, 0x680, 0x747, 0x757
        absent \csr
        .endr
        .irp csr, 0x000, 0x5c0, 0x7b0, 0x7b1, 0x7b2, 0x7b3, 0x800, 0x8ff, 0x9c0, 0xbc0, 0xbff, 0xcc0, 0xdc0, 0xf10, 0xfc0, 0xfff
        absent \csr
        .endr
        // Only write forms differ for an absent register that lies in the writable part.
        expect_illegal csrrwi zero, 0x7c0, 0
        end
