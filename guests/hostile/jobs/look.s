# LOOK tries to read the monitor's storage itself, and has what it found printed.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start: li      t0, 0x80000000
        lw      t1, 0(t0)
        la      a0, found
        sw      t1, 0(a0)
        li      a1, 4
        li      a7, PRINT
        ecall
        li      a0, 0
        li      a7, EXIT
        ecall
        .align  2
found:  .word   0
