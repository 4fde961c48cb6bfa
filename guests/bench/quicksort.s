# Quicksort: recursion, compares and swaps. A round fills 1,024 words with random numbers and sorts
# them (Hoare's partition; short pieces are sorted by insertion); the checksum adds up each number
# times its place.

        .include "start.s"

        .equ    COUNT, 1024
        .equ    SEED, 12345
        .equ    MULTIPLIER, 1664525     # a linear congruential generator (Numerical Recipes)
        .equ    INCREMENT, 1013904223
        .equ    SHORT, 8 * 4            # bytes of a piece that is sorted by insertion

main:
        mv      s10, a0
        li      s11, 0                  # the checksum
round:
        la      a0, numbers
        li      t1, SEED
        li      t2, MULTIPLIER
        li      t3, INCREMENT
        li      t4, COUNT
1:      mul     t1, t1, t2
        add     t1, t1, t3
        sw      t1, 0(a0)
        addi    a0, a0, 4
        addi    t4, t4, -1
        bnez    t4, 1b

        la      a0, numbers
        la      a1, numbers + 4 * (COUNT - 1)
        call    sort

        la      a0, numbers
        li      t0, 1
        li      t1, COUNT
2:      lw      t2, 0(a0)
        mul     t2, t2, t0
        add     s11, s11, t2
        addi    a0, a0, 4
        addi    t0, t0, 1
        bgeu    t1, t0, 2b

        addi    s10, s10, -1
        bnez    s10, round
        mv      a0, s11
        j       finish

# sort(a0: first word, a1: last word): sorts signed words.
sort:
        sub     t0, a1, a0
        li      t1, SHORT
        bltu    t0, t1, insertion
        addi    sp, sp, -16
        sw      ra, 12(sp)
        sw      s0, 8(sp)
        sw      s1, 4(sp)
        srli    t0, t0, 3               # the pivot is the number in the middle
        slli    t0, t0, 2
        add     t0, t0, a0
        lw      t0, 0(t0)
        mv      t1, a0
        mv      t2, a1
1:      lw      t3, 0(t1)               # from the left: a number that is not smaller
        bge     t3, t0, 2f
        addi    t1, t1, 4
        j       1b
2:      lw      t4, 0(t2)               # from the right: one that is not greater
        ble     t4, t0, 3f
        addi    t2, t2, -4
        j       2b
3:      bgtu    t1, t2, 4f
        sw      t4, 0(t1)
        sw      t3, 0(t2)
        addi    t1, t1, 4
        addi    t2, t2, -4
        bleu    t1, t2, 1b
4:      mv      s0, t1
        mv      s1, a1
        mv      a1, t2
        call    sort                    # what is not greater than the pivot
        mv      a0, s0
        mv      a1, s1
        lw      ra, 12(sp)
        lw      s0, 8(sp)
        lw      s1, 4(sp)
        addi    sp, sp, 16
        j       sort                    # what is not smaller

# insertion(a0: first word, a1: last word): as sort, for few words.
insertion:
        addi    t0, a0, 4
1:      bgtu    t0, a1, 4f
        lw      t1, 0(t0)
        mv      t2, t0
2:      lw      t3, -4(t2)
        ble     t3, t1, 3f
        sw      t3, 0(t2)
        addi    t2, t2, -4
        bne     t2, a0, 2b
3:      sw      t1, 0(t2)
        addi    t0, t0, 4
        j       1b
4:      ret

        .bss
        .balign 4
numbers:
        .space  4 * COUNT
