# OPEN tries to switch off storage protection.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        csrw    pmpcfg0, zero
        li      t0, 0x80000000
        sw      zero, 0(t0)
again:  j       again
