# WRAP tries a buffer that begins below the end of the address space, and ends at its beginning.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        li      a0, -100
        li      a1, LINE
        li      a7, PRINT
        ecall
again:  j       again
