# FLOOD tries to print for ever.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        li      a0, JOB_BASE
        li      a7, PRINT
again:  li      a1, 8
        ecall
        li      a0, JOB_BASE
        j       again
