# Tries to make whoever translates its code work for ever: it changes each instruction it executes.
        .globl  _start
_start: la      t0, change
        lw      t1, 0(t0)
        li      t2, 1 << 20             # the immediate of the addi below
1:      add     t1, t1, t2
        sw      t1, 0(t0)
        fence.i
change: addi    s0, s0, 0
        j       1b
