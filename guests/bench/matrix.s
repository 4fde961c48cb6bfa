# Matrix multiply: three loops, multiplications, and loads with two strides. A round multiplies two
# matrices of 24 by 24 words; the checksum adds up the product.

        .include "start.s"

        .equ    N, 24
        .equ    ROW, 4 * N              # bytes

main:
        mv      s0, a0
        li      s1, 0                   # the checksum
        la      t0, left                # left: 1, 2, 3, …; right: the squares of these
        la      t1, right
        li      t2, 1
        li      t3, N * N
1:      sw      t2, 0(t0)
        mul     t4, t2, t2
        sw      t4, 0(t1)
        addi    t0, t0, 4
        addi    t1, t1, 4
        addi    t2, t2, 1
        bgeu    t3, t2, 1b
round:
        la      a0, left                # a row
        la      a2, product
        li      s2, N
row:
        la      a1, right               # a column
        li      s3, N
column:
        mv      t0, a0
        mv      t1, a1
        addi    t2, a0, ROW             # the end of the row
        li      t3, 0
1:      lw      t4, 0(t0)
        lw      t5, 0(t1)
        mul     t4, t4, t5
        add     t3, t3, t4
        addi    t0, t0, 4
        addi    t1, t1, ROW
        bne     t0, t2, 1b
        sw      t3, 0(a2)
        addi    a2, a2, 4
        addi    a1, a1, 4
        addi    s3, s3, -1
        bnez    s3, column
        addi    a0, a0, ROW
        addi    s2, s2, -1
        bnez    s2, row

        la      t0, product
        li      t1, N * N
2:      lw      t2, 0(t0)
        add     s1, s1, t2
        addi    t0, t0, 4
        addi    t1, t1, -1
        bnez    t1, 2b
        addi    s0, s0, -1
        bnez    s0, round
        mv      a0, s1
        ret

        .bss
        .balign 4
left:   .space  N * ROW
right:  .space  N * ROW
product:
        .space  N * ROW
