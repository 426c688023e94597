// Zifencei: instructions that were written are executed after FENCE.I, however near they are.
// Source: unprivileged manual, chapter "Zifencei".
#include "directed.h"
#define ADDI_A0_1 0x00150513            // addi a0, a0, 1
#define ADDI_A0_16 0x01050513           // addi a0, a0, 16

        .macro patched distance
        test
        .rept 2
        li a0, 0
        li t0, ADDI_A0_1
        la t1, patch_\@_\distance
        sw t0, 0(t1)
        fence.i
        .endr
        li t2, 2
        // The first time round it adds 1; then it has been written anew, and adds 16.
again_\@:
        .balign 4
        .option push
        .option norvc
        .rept \distance
        nop
        .endr
patch_\@_\distance:
        .4byte 0
        .option pop
        addi t2, t2, -1
        beqz t2, done_\@
        li t0, ADDI_A0_16
        sw t0, 0(t1)
        fence.i
        j again_\@
done_\@:
        check a0, 17
        .endm

        // The instruction right behind FENCE.I, or a few behind it, was written right before.
        .macro behind distance
        test
        la t1, target_\@
        li t0, ADDI_A0_16
        li a0, 0
        .balign 8
        .option push
        .option norvc
        sw t0, 0(t1)
        fence.i
        .rept \distance
        nop
        .endr
target_\@:
        addi a0, a0, 1
        .option pop
        check a0, 16
        .endm

        begin
        .irp distance, 0, 1, 2, 3, 4, 5, 8
        patched \distance
        behind \distance
        .endr

        // A function that is written, called, written again, called again.
        test
        la a5, function
        li a0, 0
        li a4, 16
        li t0, ADDI_A0_1
1:      sw t0, 0(a5)
        fence.i
        jalr ra, 0(a5)
        li t1, 0x00100000               // the immediate, by one more
        add t0, t0, t1
        addi a4, a4, -1
        bnez a4, 1b
        check a0, (16 * 17 / 2)

        // An instruction becomes a jump, and a jump becomes none.
        test
        .balign 4
        .option push
        .option norvc
        la a5, turn
        lw t0, 0(a5)                    // what it is: addi
        li t1, 0x0080006f               // j .+8
        li a0, 0
        li a4, 3
1:      j turn
turn:   addi a0, a0, 1
        addi a0, a0, 16
        lw t2, 0(a5)
        bne t2, t0, 2f
        sw t1, 0(a5)
        j 3f
2:      sw t0, 0(a5)
3:      fence.i
        addi a4, a4, -1
        bnez a4, 1b
        // addi, jump, addi: the jump leaves out both.
        check a0, (17 + 0 + 17)
        .option pop

#if CONFIG_C
        // Halves: one of two, and a long instruction across two words.
        test
        .option push
        .option rvc
        la a5, half
        li a0, 0
        li t0, 0x0541                   // c.addi a0, 16
        sh t0, 0(a5)
        fence.i
        .balign 4
        c.nop
half:   c.addi a0, 1
        check a0, 16
        test
        la a5, across
        li a0, 0
        li t0, 0x0010                   // the high half of addi a0, a0, 1
        li t0, (ADDI_A0_16 >> 16)
        sh t0, 2(a5)
        fence.i
        .balign 4
        c.nop
across: .2byte (ADDI_A0_1 & 0xffff)
        .2byte (ADDI_A0_1 >> 16)
        check a0, 16
        .option pop
#endif
        // FENCE in every form does nothing that is seen; reserved fields are not looked at.
        test
        li a0, 5
        fence
        fence rw, rw
        fence w, r
        fence iorw, iorw
        .4byte 0x8330000f               // fence.tso
        .4byte 0x0000000f
        .4byte 0x0ff5050f               // rd and rs1 are a0
        .4byte 0xfff5150f               // fence.i with rd, rs1 and an immediate
        check a0, 5
        end
        .section .data
        .balign 64
function:
        .4byte ADDI_A0_1
        .4byte 0x00008067               // ret
