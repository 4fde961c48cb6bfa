# PUNCH tries to use up all blank cards.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        li      a7, PUNCH
again:  li      a0, JOB_BASE
        li      a1, 8
        ecall
        j       again
