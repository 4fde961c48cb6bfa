# decimal(a0: number, a1, a2: a field and its width): writes the number at the right end of the
# field and blanks before it. Digits that do not fit are lost.
        .text
decimal:
        add     t0, a1, a2
        li      t1, 10
1:      remu    t2, a0, t1
        divu    a0, a0, t1
        addi    t2, t2, '0'
        addi    t0, t0, -1
        sb      t2, 0(t0)
        beq     t0, a1, 3f
        bnez    a0, 1b
        li      t2, ' '
2:      addi    t0, t0, -1
        sb      t2, 0(t0)
        bne     t0, a1, 2b
3:      ret
