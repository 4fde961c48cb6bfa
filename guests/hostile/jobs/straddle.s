# STRADDLE tries a buffer whose last byte alone is behind its own storage.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        li      a0, JOB_END - CARD + 1
        li      a7, READ
        ecall
again:  j       again
