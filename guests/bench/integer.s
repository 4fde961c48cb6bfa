# Integer loop: arithmetic in registers, and branches. A round is 1,000 steps of a xorshift random
# number generator (Marsaglia 2003); the checksum adds up the numbers, and one in eight squared.

        .include "start.s"

        .equ    STEPS, 1000
        .equ    SEED, 2463534242

main:
        li      a1, 0                   # the checksum
1:      li      a2, SEED
        li      a3, STEPS
2:      slli    t0, a2, 13
        xor     a2, a2, t0
        srli    t0, a2, 17
        xor     a2, a2, t0
        slli    t0, a2, 5
        xor     a2, a2, t0
        andi    t0, a2, 7
        bnez    t0, 3f                  # seven times of eight
        mul     t0, a2, a2
        add     a1, a1, t0
3:      add     a1, a1, a2
        addi    a3, a3, -1
        bnez    a3, 2b
        addi    a0, a0, -1
        bnez    a0, 1b
        mv      a0, a1
        ret
