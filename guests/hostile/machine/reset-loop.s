# Tries to keep its operator busy: resets the machine as soon as it has been started.
        .globl  _start
_start: li      t0, 0x100000
        li      t1, 0x7777
        sw      t1, 0(t0)
1:      j       1b
