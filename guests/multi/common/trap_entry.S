# The trap stub of a kernel in S-mode: saves the interrupted program's registers, calls trap(frame),
# restores them. As guests/lib/trap.S, with S-mode's registers: sscratch is 0 while the kernel runs,
# and holds the end of the process's kernel stack while a program runs.

#include "machine.h"
#include "trap.h"

        .text
        .balign 4                       # the two lowest bits of stvec mean something else
        .globl  trap_entry
trap_entry:
        csrrw   sp, sscratch, sp
        bnez    sp, 1f
        csrrw   sp, sscratch, zero      # it was ours: take it back

1:      addi    sp, sp, -TRAP_FRAME_SIZE
        .irp    n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
        sw      x\n, 4*\n(sp)
        .endr
        .irp    n, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        sw      x\n, 4*\n(sp)
        .endr
        csrr    t0, sepc
        sw      t0, 128(sp)
        csrr    t0, sstatus
        sw      t0, 132(sp)
        andi    t0, t0, MSTATUS_SPP     # set if the kernel itself was interrupted
        csrrw   t1, sscratch, zero      # the program's sp; and from now on the stack is ours
        beqz    t0, 2f
        addi    t1, sp, TRAP_FRAME_SIZE # the frame is on the interrupted stack itself
2:      sw      t1, 4*2(sp)
        csrr    t0, scause
        sw      t0, 136(sp)
        csrr    t0, stval
        sw      t0, 140(sp)

        mv      a0, sp
        call    trap
        mv      a0, sp
        # falls through

# trap_return(frame) begins here, too.
        .globl  trap_return
trap_return:
        mv      sp, a0
        lw      t0, 128(sp)
        csrw    sepc, t0
        lw      t0, 132(sp)
        csrw    sstatus, t0
        andi    t0, t0, MSTATUS_SPP
        bnez    t0, 3f
        addi    t0, sp, TRAP_FRAME_SIZE
        csrw    sscratch, t0

3:      lw      x1, 4(sp)
        .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
        lw      x\n, 4*\n(sp)
        .endr
        .irp    n, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        lw      x\n, 4*\n(sp)
        .endr
        lw      sp, 4*2(sp)
        sret
