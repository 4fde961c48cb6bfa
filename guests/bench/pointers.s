# Pointer chasing: loads that depend on each other, all over 8 MiB, more than host caches and TLBs
# hold close by. The nodes, one in every 64 bytes, form one cycle in random order: the node after
# number n is (A n + C) mod 2^k, a generator of full period (Knuth, 3.2.1.2, theorem A). A round
# goes 1,024 nodes further; the checksum adds up where the rounds ended, as distances.

        .include "start.s"

        .ifndef NODES
        .equ    NODES, 8 << 20 >> 6     # a power of two
        .endif
        .equ    NODE_BITS, 6
        .equ    A, 1103515245
        .equ    C, 12345
        .equ    HOPS, 1024

main:
        la      a1, nodes
        li      a2, NODES - 1
        li      a3, A
        li      a4, C
        li      t0, 0                   # number of a node
1:      slli    t1, t0, NODE_BITS
        add     t1, t1, a1
        mul     t0, t0, a3
        add     t0, t0, a4
        and     t0, t0, a2
        slli    t2, t0, NODE_BITS
        add     t2, t2, a1
        sw      t2, 0(t1)
        bnez    t0, 1b

        li      a2, 0                   # the checksum
        mv      t0, a1
round:
        li      t1, HOPS / 8
2:      lw      t0, 0(t0)
        lw      t0, 0(t0)
        lw      t0, 0(t0)
        lw      t0, 0(t0)
        lw      t0, 0(t0)
        lw      t0, 0(t0)
        lw      t0, 0(t0)
        lw      t0, 0(t0)
        addi    t1, t1, -1
        bnez    t1, 2b
        sub     t2, t0, a1
        add     a2, a2, t2
        addi    a0, a0, -1
        bnez    a0, round
        mv      a0, a2
        ret

        .bss
        .balign 64
nodes:  .space  NODES << NODE_BITS
