// Start-up and trap entry.
//
// Registers are undefined after reset, memory is as it was loaded. A trap saves the
// registers that a C function may change, and the frame is what runtime.h calls
// `struct trap_frame`.

#if defined(__riscv_32e) || defined(__riscv_e)
#define SAVED 12
#else
#define SAVED 18
#endif
#define FRAME ((SAVED * 4 + 15) & -16)

    .section .text.init, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    la      sp, __stack
    la      tp, __tls_base
    la      t0, __trap_entry
    csrw    mtvec, t0
    csrw    mie, zero

    la      t0, __bss_start
    la      t1, __bss_end
1:  bgeu    t0, t1, 2f
    sw      zero, 0(t0)
    addi    t0, t0, 4
    j       1b

2:  call    __libc_init_array
    li      a0, 0
    la      a1, __no_arguments
    call    main
    call    exit
3:  j       3b
    .size _start, . - _start

    .globl _init
    .globl _fini
_init:
_fini:
    ret

    .balign 4
    .globl __trap_entry
    .type __trap_entry, @function
__trap_entry:
    addi    sp, sp, -FRAME
    sw      ra, 0(sp)
    sw      t0, 4(sp)
    sw      t1, 8(sp)
    sw      t2, 12(sp)
    sw      a0, 16(sp)
    sw      a1, 20(sp)
    sw      a2, 24(sp)
    sw      a3, 28(sp)
    sw      a4, 32(sp)
    sw      a5, 36(sp)
#if SAVED == 18
    sw      a6, 40(sp)
    sw      a7, 44(sp)
    sw      t3, 48(sp)
    sw      t4, 52(sp)
    sw      t5, 56(sp)
    sw      t6, 60(sp)
#endif
    csrr    a0, mcause
    csrr    a1, mepc
    sw      a1, (SAVED * 4 - 8)(sp)
    csrr    a1, mstatus
    sw      a1, (SAVED * 4 - 4)(sp)
    mv      a1, sp
    call    __trap
    lw      a1, (SAVED * 4 - 4)(sp)
    csrw    mstatus, a1
    lw      a1, (SAVED * 4 - 8)(sp)
    csrw    mepc, a1
    lw      ra, 0(sp)
    lw      t0, 4(sp)
    lw      t1, 8(sp)
    lw      t2, 12(sp)
    lw      a0, 16(sp)
    lw      a1, 20(sp)
    lw      a2, 24(sp)
    lw      a3, 28(sp)
    lw      a4, 32(sp)
    lw      a5, 36(sp)
#if SAVED == 18
    lw      a6, 40(sp)
    lw      a7, 44(sp)
    lw      t3, 48(sp)
    lw      t4, 52(sp)
    lw      t5, 56(sp)
    lw      t6, 60(sp)
#endif
    addi    sp, sp, FRAME
    mret
    .size __trap_entry, . - __trap_entry

    .section .rodata
    .balign 4
__no_arguments:
    .word 0
