# Tries to sleep for ever: waits for an interrupt with none enabled.
        .globl  _start
_start: csrw    mie, zero
        wfi
        j       _start
