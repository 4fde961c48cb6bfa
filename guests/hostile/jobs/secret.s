# SECRET tries to leave something behind: it fills its storage with a word, for HEIR to find.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        la      t0, end
        li      t1, JOB_END
        li      t2, 0x5ec2e7
1:      sw      t2, 0(t0)
        addi    t0, t0, 4
        bltu    t0, t1, 1b
        li      a0, 0
        li      a7, EXIT
        ecall
        .align  2
end:
