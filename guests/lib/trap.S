# The trap stub: saves the interrupted program's registers, calls trap(frame), restores them.
#
# mscratch says whose stack sp is. While this program runs itself, mscratch is 0, and the frame goes
# below sp. While a job runs in U-mode, mscratch holds the stack for traps, for the job's sp may
# hold anything.

#include "trap.h"

        .text
        .balign 4                       # the two lowest bits of mtvec mean something else
        .globl  trap_entry
trap_entry:
        csrrw   sp, mscratch, sp
        bnez    sp, 1f
        csrrw   sp, mscratch, zero      # it was ours: take it back

1:      addi    sp, sp, -TRAP_FRAME_SIZE
        .irp    n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
        sw      x\n, 4*\n(sp)
        .endr
        .irp    n, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        sw      x\n, 4*\n(sp)
        .endr
        csrr    t0, mepc
        sw      t0, 128(sp)
        csrr    t0, mstatus
        sw      t0, 132(sp)
        srli    t0, t0, 11
        andi    t0, t0, 3               # MPP: the mode that was interrupted
        li      t2, 3                   # M-mode
        csrrw   t1, mscratch, zero      # the job's sp; and from now on the stack is ours
        bne     t0, t2, 2f
        addi    t1, sp, TRAP_FRAME_SIZE # the frame is on the interrupted stack itself
2:      sw      t1, 4*2(sp)
        csrr    t0, mcause
        sw      t0, 136(sp)
        csrr    t0, mtval
        sw      t0, 140(sp)

        mv      a0, sp
        call    trap
        mv      a0, sp
        # falls through

# trap_return(frame) begins here, too. In M-mode the frame is given up; for a lower mode, its end is
# where the next trap finds the stack.
        .globl  trap_return
trap_return:
        mv      sp, a0
        lw      t0, 128(sp)
        csrw    mepc, t0
        lw      t0, 132(sp)
        csrw    mstatus, t0
        srli    t0, t0, 11
        andi    t0, t0, 3               # MPP: the mode to go on in
        li      t2, 3
        beq     t0, t2, 3f
        addi    t0, sp, TRAP_FRAME_SIZE
        csrw    mscratch, t0

3:      lw      x1, 4(sp)
        .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
        lw      x\n, 4*\n(sp)
        .endr
        .irp    n, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        lw      x\n, 4*\n(sp)
        .endr
        lw      sp, 4*2(sp)
        mret
