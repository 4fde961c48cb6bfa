# OFF tries to switch off the machine.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        li      t0, 0x100000
        li      t1, 0x5555
        sw      t1, 0(t0)
again:  j       again
