# LOOP tries to keep the processor for ever.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
again:  j       again
