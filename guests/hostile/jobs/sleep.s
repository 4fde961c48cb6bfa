# SLEEP tries to stop the processor until an interrupt that never comes.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        wfi
again:  j       again
