# STACK tries to have its registers saved inside the monitor, by way of its stack pointer.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        li      sp, 0x80000400
        li      a7, TIME
        ecall
        li      sp, 0
        ecall
        li      sp, 1
        ebreak
again:  j       again
