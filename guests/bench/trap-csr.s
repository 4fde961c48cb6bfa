# The round trip of a trap: accesses to a CSR, each of which a VMM has to carry out. A round is 256
# of them; the checksum adds up what they read.

        .include "start.s"

        .equ    TRAPS, 256

main:
        li      a1, 0                   # the checksum
1:      li      t0, TRAPS
2:      csrrw   t1, mscratch, t0
        add     a1, a1, t1
        addi    t0, t0, -1
        bnez    t0, 2b
        addi    a0, a0, -1
        bnez    a0, 1b
        mv      a0, a1
        ret
