# Sieve of Eratosthenes: byte loads and stores with growing strides. A round finds the primes below
# 8,192; the checksum adds up how many there are.

        .include "start.s"

        .equ    LIMIT, 8192

main:
        mv      s0, a0
        li      s1, 0                   # the checksum
        la      s2, marks
        li      s3, LIMIT
        add     s4, s2, s3              # the end of the marks
round:
        mv      t0, s2                  # no number is marked
1:      sw      zero, 0(t0)
        addi    t0, t0, 4
        bne     t0, s4, 1b

        li      t0, 2                   # the number that is looked at
2:      add     t1, s2, t0
        lbu     t2, 0(t1)
        bnez    t2, 4f
        addi    s1, s1, 1               # not marked: a prime
        mul     t1, t0, t0
        bgeu    t1, s3, 4f
        add     t1, t1, s2
        li      t2, 1
3:      sb      t2, 0(t1)               # mark its multiples, from its square on
        add     t1, t1, t0
        bltu    t1, s4, 3b
4:      addi    t0, t0, 1
        bne     t0, s3, 2b

        addi    s0, s0, -1
        bnez    s0, round
        mv      a0, s1
        ret

        .bss
        .balign 4
marks:  .space  LIMIT
