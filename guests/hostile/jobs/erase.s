# ERASE tries what happens if it overwrites all of its storage, and itself.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        li      t0, JOB_END
1:      addi    t0, t0, -4
        sw      zero, 0(t0)
        fence.i
        j       1b
