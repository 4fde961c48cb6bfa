# REPORT: a table of powers of two over two pages, with headings; punches each power on a card.
# Comes last in the sample deck, to show that the monitor has survived the jobs before it.
        .include "../interface.s"

        .equ    ON_A_PAGE, 16
        .equ    POWERS, 32

        .data
heading:
        .ascii  "  N   2 TO THE N"
        .equ    HEADING, . - heading
exponent:
        .ascii  "    "
power:  .ascii  "            "
        .equ    ROW, . - exponent
        .equ    POWER, . - power
time:   .ascii  "TIME SO FAR "
ticks:  .ascii  "         TICKS"
        .equ    TIME_TEXT, . - time

        .text
        .globl  _start
_start:
        li      s0, 0                   # exponent
        li      s1, 1                   # 2 to the s0
1:      la      a0, heading
        li      a1, HEADING
        li      a7, PRINT
        ecall
        li      a1, 0                   # an empty line
        ecall
2:      mv      a0, s0
        la      a1, exponent
        li      a2, 3
        call    decimal
        mv      a0, s1
        la      a1, power
        li      a2, 12
        call    decimal
        la      a0, exponent
        li      a1, ROW
        li      a7, PRINT
        ecall
        la      a0, power
        li      a1, POWER
        li      a7, PUNCH
        ecall
        add     s1, s1, s1
        addi    s0, s0, 1
        li      t0, POWERS
        beq     s0, t0, 3f
        andi    t0, s0, ON_A_PAGE - 1
        bnez    t0, 2b
        li      a7, PAGE
        ecall
        j       1b

3:      li      a7, TIME
        ecall
        la      a1, ticks
        li      a2, 8
        call    decimal
        li      a1, 0
        li      a7, PRINT
        ecall
        la      a0, time
        li      a1, TIME_TEXT
        ecall
        li      a0, 0
        li      a7, EXIT
        ecall

        .include "decimal.s"
