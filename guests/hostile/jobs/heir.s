# HEIR tries to find what the job before has left in storage; its code says how many words it found.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        li      a0, 0
        la      t0, end
        li      t1, JOB_END
1:      lw      t2, 0(t0)
        snez    t2, t2
        add     a0, a0, t2
        addi    t0, t0, 4
        bltu    t0, t1, 1b
        li      a7, EXIT
        ecall
        .align  2
end:
