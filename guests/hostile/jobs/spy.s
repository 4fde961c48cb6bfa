# SPY tries to have the monitor's storage printed.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        li      a0, 0x80000000
        li      a1, LINE
        li      a7, PRINT
        ecall
again:  j       again
