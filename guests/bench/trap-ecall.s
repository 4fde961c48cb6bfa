# The round trip of a trap: ecalls in M-mode, each of which a VMM has to reflect to the guest. The
# handler does not return by MRET, which would trap, too. A round is 256 ecalls; the checksum counts
# what the handler sees.

        .include "start.s"

        .equ    TRAPS, 256

main:
        la      t0, handler
        csrw    mtvec, t0
        la      a2, behind
        li      a1, 0                   # the checksum
1:      li      t0, TRAPS
2:      ecall
behind: addi    t0, t0, -1
        bnez    t0, 2b
        addi    a0, a0, -1
        bnez    a0, 1b
        mv      a0, a1
        ret

        .balign 4
handler:
        addi    a1, a1, 1
        jr      a2
