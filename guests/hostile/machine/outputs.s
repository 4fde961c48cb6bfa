# Tries to fill its host's memory: prints, punches and sends without end, without waiting.
        .globl  _start
_start: li      s0, 0x10011000
        li      s1, 0x10012000
        li      s2, 0x10000000
        li      t0, 1
        li      t1, 'X'
1:      sb      t1, 0x80(s0)
        sw      t0, 4(s0)
        sb      t1, 0x80(s1)
        sw      t0, 4(s1)
        sb      t1, 0(s2)
        j       1b
