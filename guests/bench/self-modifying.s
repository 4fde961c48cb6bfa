# Self-modifying code. Sixteen times in a round, another number is written into an instruction,
# FENCE.I says so, and the routine that has it in a loop of eight turns is called; the checksum adds
# up what the routine returns.

        .include "start.s"

        .equ    NUMBERS, 16             # 0 to 15, in turn
        .equ    ADDI_IMMEDIATE, 20      # the bit where an I-immediate begins

main:
        mv      s0, ra
        li      s1, 0                   # the checksum
        la      s2, patched
        lw      s3, 0(s2)               # the instruction, with the number 0
1:      li      s4, 0
2:      slli    t0, s4, ADDI_IMMEDIATE
        or      t0, t0, s3
        sw      t0, 0(s2)
        fence.i
        call    routine
        add     s1, s1, a1
        addi    s4, s4, 1
        li      t0, NUMBERS
        bne     s4, t0, 2b
        addi    a0, a0, -1
        bnez    a0, 1b
        mv      a0, s1
        jr      s0

# routine() -> a1: eight times the number in the instruction
routine:
        li      a1, 0
        li      t0, 8
1:
patched:
        addi    a1, a1, 0
        addi    t0, t0, -1
        bnez    t0, 1b
        ret
