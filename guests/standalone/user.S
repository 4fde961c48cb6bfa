# Runs functions in such a way that a trap ends them. The trap handler goes on at `user_back`.

        .text
# run_until_trap(function, mode): calls a function in a mode, given as it stands in mstatus.MPP.
# Comes back when the function traps, or, by the trap at user_end, when it returns.
        .globl  run_until_trap
run_until_trap:
        addi    sp, sp, -64
        sw      ra, 0(sp)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
        sw      s\n, 4+4*\n(sp)
        .endr
        la      t0, user_sp
        sw      sp, 0(t0)
        csrw    mepc, a0
        li      t0, 3 << 11 | 1 << 7    # MPP, and MPIE: interrupts stay off
        csrc    mstatus, t0
        csrs    mstatus, a1
        li      t0, 3 << 11             # M-mode
        beq     a1, t0, 1f
        csrw    mscratch, sp            # where traps from a lower mode find their stack
1:      addi    sp, sp, -1024           # the function's own stack lies below the frame of its trap
        la      ra, user_end
        mret

user_end:
        ecall                           # the only way back from a lower mode

        .globl  user_back, user_end
user_back:
        la      t0, user_sp
        lw      sp, 0(t0)
        lw      ra, 0(sp)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
        lw      s\n, 4+4*\n(sp)
        .endr
        addi    sp, sp, 64
        ret

        .bss
        .balign 4
user_sp: .space 4
