# Tries to be interrupted for ever: the timer is due always, and the handler does nothing.
        .globl  _start
_start: la      t0, handler
        csrw    mtvec, t0
        li      t0, 0x2004000
        sw      zero, 0(t0)
        sw      zero, 4(t0)
        li      t0, 1 << 7
        csrw    mie, t0
        csrsi   mstatus, 8
1:      j       1b
        .align  2
handler:
        mret
