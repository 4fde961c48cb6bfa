# Tries every page of the address space: reads it, writes it, and jumps there.
        .equ    PAGE, 4096
        .word   0                       # the first page is jumped to as well: not to _start
        .globl  _start
_start: la      t0, handler
        csrw    mtvec, t0
        li      s0, 0
1:      la      s1, 2f                  # where the handler goes on
        lw      t1, 0(s0)
        la      s1, 3f
        sw      t1, 0(s0)
2:
3:      la      s1, 4f
        jr      s0
4:      li      t0, PAGE
        add     s0, s0, t0
        j       1b
        .align  2
handler:
        csrw    mepc, s1
        mret
