# SMASH tries to overwrite the monitor's first instruction.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        li      t0, 0x80000000
        sw      zero, 0(t0)
again:  j       again
