# PLANT tries to have a data card read into the monitor.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        li      a0, 0x80000000
        li      a7, READ
        ecall
again:  j       again
