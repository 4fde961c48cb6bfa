# PRIMES: the prime numbers below LIMIT by the sieve of Eratosthenes, ten to a line.
# A job that computes: it reads no cards.
        .include "../interface.s"

        .equ    LIMIT, 300
        .equ    WIDTH, 6                # columns of a number
        .equ    ROW, 10 * WIDTH

        .data
title:  .ascii  "PRIME NUMBERS BELOW 300"
        .equ    TITLE, . - title

        .bss
row:    .space  ROW
composite:
        .space  LIMIT

        .text
        .globl  _start
_start:
        la      a0, title
        li      a1, TITLE
        li      a7, PRINT
        ecall

        la      s0, composite           # a byte for each number: 1, if it is no prime
        li      s1, 2
        li      s2, LIMIT
        la      s3, row                 # where the next prime goes
        la      s4, row + ROW
1:      add     t0, s0, s1
        lbu     t1, 0(t0)
        bnez    t1, 4f
        li      t2, 1                   # a prime; its multiples are none
        mul     t0, s1, s1
2:      bgeu    t0, s2, 3f
        add     t1, s0, t0
        sb      t2, 0(t1)
        add     t0, t0, s1
        j       2b
3:      mv      a0, s1
        mv      a1, s3
        li      a2, WIDTH
        call    decimal
        addi    s3, s3, WIDTH
        bne     s3, s4, 4f
        call    print_row
4:      addi    s1, s1, 1
        bltu    s1, s2, 1b
        call    print_row

        li      a0, 0
        li      a7, EXIT
        ecall

# print_row(): prints the primes up to s3, and begins a new row.
print_row:
        la      a0, row
        sub     a1, s3, a0
        mv      s3, a0
        li      a7, PRINT
        ecall
        ret

        .include "decimal.s"
