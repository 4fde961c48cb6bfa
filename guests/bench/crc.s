# CRC: byte loads, a table in memory, shifts. A round takes the CRC-32 (IEEE 802.3) of a message of
# 4,096 bytes; the checksum adds up the results.

        .include "start.s"

        .equ    LENGTH, 4096
        .equ    POLYNOMIAL, 0xedb88320  # reflected: the lowest bit is the highest power

main:
        mv      s0, a0
        li      s1, 0                   # the checksum
        la      a1, table

        mv      t0, a1                  # the table: the CRC of each byte by itself
        li      t1, 0
        li      t2, 256
        li      t3, POLYNOMIAL
1:      mv      t4, t1
        li      t5, 8
2:      andi    t6, t4, 1
        srli    t4, t4, 1
        beqz    t6, 3f
        xor     t4, t4, t3
3:      addi    t5, t5, -1
        bnez    t5, 2b
        sw      t4, 0(t0)
        addi    t0, t0, 4
        addi    t1, t1, 1
        bne     t1, t2, 1b

        la      t0, message             # the message: 0, 7, 14, … in bytes
        li      t1, 0
        li      t2, LENGTH
4:      sb      t1, 0(t0)
        addi    t0, t0, 1
        addi    t1, t1, 7
        addi    t2, t2, -1
        bnez    t2, 4b
round:
        la      t0, message
        li      t1, LENGTH
        add     t1, t1, t0
        li      a0, -1
5:      lbu     t2, 0(t0)
        xor     t2, t2, a0
        andi    t2, t2, 255
        slli    t2, t2, 2
        add     t2, t2, a1
        lw      t2, 0(t2)
        srli    a0, a0, 8
        xor     a0, a0, t2
        addi    t0, t0, 1
        bne     t0, t1, 5b
        not     a0, a0
        add     s1, s1, a0
        addi    s0, s0, -1
        bnez    s0, round
        mv      a0, s1
        ret

        .bss
        .balign 4
table:  .space  4 * 256
message:
        .space  LENGTH
