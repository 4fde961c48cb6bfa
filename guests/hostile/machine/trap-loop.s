# Tries to stay in traps for ever: its trap handler is an illegal instruction.
        .globl  _start
_start: la      t0, handler
        csrw    mtvec, t0
        .align  2
handler:
        .word   0
