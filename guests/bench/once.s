# Cold code: 20,000 different instructions, each executed once. What an engine puts into preparing
# an instruction for many executions, it does not get back here. The checksum adds up the registers.

        .equ    ROUNDS, 1
        .include "start.s"

        .equ    NUMBERS, 400

main:
        la      s0, words
        .irp    register, a0, a1, a2, a3, a4, a5, a6, a7, t3, t4
        li      \register, 0
        .endr
        .set    number, 0
        .rept   NUMBERS
        .irp    register, a0, a1, a2, a3, a4, a5, a6, a7, t3, t4
        addi    \register, \register, number + 1
        xori    \register, \register, number
        sw      \register, 4 * number(s0)
        sltiu   t1, \register, number
        lw      \register, 4 * number(s0)
        .endr
        .set    number, number + 1
        .endr
        .irp    register, a1, a2, a3, a4, a5, a6, a7, t3, t4
        add     a0, a0, \register
        .endr
        ret

        .bss
        .balign 4
words:  .space  4 * NUMBERS
