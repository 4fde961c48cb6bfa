# ENTER tries to jump into the monitor.
        .include "../../batch/interface.s"

        .text
        .globl  _start
_start:
        li      t0, 0x80000000
        jr      t0
