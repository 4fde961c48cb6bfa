# SUM: reads numbers, one on each data card, and prints each of them, and their total.
# Whatever stands behind a number is a remark; a card without a number counts as an error.
        .include "../interface.s"

        .equ    WIDTH, 10               # columns of a number

        .data
marks:  .ascii  "         ?"
rule:   .ascii  "----------"
line:   .ascii  "             "
card:   .space  CARD                    # behind the field, so that it is printed with it
        .byte   0

        .text
        .globl  _start
_start:
        li      s0, 0                   # total
        li      s1, 0                   # cards without a number
1:      la      a0, card
        li      a7, READ
        ecall
        bltz    a0, 2f
        la      a0, card
        call    number
        beqz    a1, 3f
        add     s0, s0, a0
        la      a1, line
        li      a2, WIDTH
        call    decimal
        j       4f
3:      addi    s1, s1, 1
        la      a0, marks
        la      a1, line
        call    field
4:      la      a0, line                # the number, and the card behind it
        li      a1, WIDTH + 3 + CARD
        li      a7, PRINT
        ecall
        j       1b

2:      la      a0, rule
        la      a1, line
        call    field
        la      a0, line
        li      a1, WIDTH
        li      a7, PRINT
        ecall
        mv      a0, s0
        la      a1, line
        li      a2, WIDTH
        call    decimal
        la      a0, line
        li      a1, WIDTH
        li      a7, PRINT
        ecall
        mv      a0, s1
        li      a7, EXIT
        ecall

# number(a0: text) -> a0: the decimal number at its beginning, after blanks; a1: its digits
number:
        mv      t0, a0
        li      t1, ' '
1:      lbu     t2, 0(t0)
        addi    t0, t0, 1
        beq     t2, t1, 1b
        li      a0, 0
        li      a1, 0
        li      t1, 10
2:      addi    t2, t2, -'0'
        bgeu    t2, t1, 3f
        mul     a0, a0, t1
        add     a0, a0, t2
        addi    a1, a1, 1
        lbu     t2, 0(t0)
        addi    t0, t0, 1
        j       2b
3:      ret

# field(a0: from, a1: to): copies WIDTH characters.
field:
        addi    t0, a0, WIDTH
1:      lbu     t1, 0(a0)
        sb      t1, 0(a1)
        addi    a0, a0, 1
        addi    a1, a1, 1
        bne     a0, t0, 1b
        ret

        .include "decimal.s"
