# PROMOTE tries to return from a trap that never was, into M-mode.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        la      t0, again
        csrw    mepc, t0
        li      t0, 3 << 11
        csrs    mstatus, t0
        mret
again:  j       again
