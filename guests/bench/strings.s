# Strings: records, procedure calls, and strings that are copied and compared, in the manner of
# Dhrystone (Weicker 1984). A round makes 16 entries in a list of records, each from the one before
# it, and looks up one of them by its name; the checksum adds up what the records hold.

        .include "start.s"

        .equ    NEXT, 0                 # a record: pointer to the next one,
        .equ    KIND, 4                 #   what it is (0, 1 or 2),
        .equ    VALUE, 8                #   a number,
        .equ    NAME, 12                #   a string of up to 31 characters
        .equ    RECORD, NAME + 32
        .equ    RECORDS, 16
        .equ    LETTER, 21              # the character of a name that tells which record it is

main:
        mv      s0, a0
        li      s1, 0                   # the checksum
round:
        la      s2, records             # the first record, made from the pattern
        la      a0, pattern
        mv      a1, s2
        call    copy_record
        li      s3, RECORDS - 1
1:      addi    a1, s2, RECORD          # the others, each from the one before it
        mv      a0, s2
        call    derive
        addi    s2, s2, RECORD
        addi    s3, s3, -1
        bnez    s3, 1b
        sw      zero, NEXT(s2)

        la      a0, records
        la      a1, wanted
        call    look_up
        add     s1, s1, a0
        la      a0, records
        call    sum
        add     s1, s1, a0
        addi    s0, s0, -1
        bnez    s0, round
        mv      a0, s1
        j       finish

# derive(a0: record, a1: place for the next one): the next record is the same, but for its kind,
# its value and a letter of its name.
derive:
        addi    sp, sp, -16
        sw      ra, 12(sp)
        sw      s4, 8(sp)
        sw      s5, 4(sp)
        mv      s4, a0
        mv      s5, a1
        sw      s5, NEXT(s4)
        call    copy_record
        addi    a0, s5, NAME
        addi    a1, s4, NAME
        call    copy_string
        lbu     t0, NAME + LETTER(s5)
        addi    t0, t0, 1
        sb      t0, NAME + LETTER(s5)
        lw      a0, KIND(s4)
        call    next_kind
        sw      a0, KIND(s5)
        lw      a1, VALUE(s4)
        call    next_value
        sw      a0, VALUE(s5)
        lw      ra, 12(sp)
        lw      s4, 8(sp)
        lw      s5, 4(sp)
        addi    sp, sp, 16
        ret

# next_kind(a0: kind): the kind after it; 0 comes after 2.
next_kind:
        addi    a0, a0, 1
        li      t0, 3
        bne     a0, t0, 1f
        li      a0, 0
1:      ret

# next_value(a0: kind, a1: value): a new value, by a rule for each kind.
next_value:
        la      t0, rules
        slli    a0, a0, 2
        add     t0, t0, a0
        lw      t1, 0(t0)               # a distance, so that it serves at any address
        la      t0, rules
        add     t0, t0, t1
        jr      t0
tenfold:
        slli    a0, a1, 3
        slli    a1, a1, 1
        add     a0, a0, a1
        ret
successor:
        addi    a0, a1, 1
        ret
remainder:
        li      t0, 1000
        remu    a0, a1, t0
        ret

# copy_record(a0: from, a1: to): all of its words.
copy_record:
        addi    t0, a0, RECORD
1:      lw      t1, 0(a0)
        sw      t1, 0(a1)
        addi    a0, a0, 4
        addi    a1, a1, 4
        bne     a0, t0, 1b
        ret

# copy_string(a0: to, a1: from): strcpy
copy_string:
        lbu     t0, 0(a1)
        sb      t0, 0(a0)
        addi    a0, a0, 1
        addi    a1, a1, 1
        bnez    t0, copy_string
        ret

# compare_strings(a0, a1): strcmp; 0 if they are equal
compare_strings:
        lbu     t0, 0(a0)
        lbu     t1, 0(a1)
        bne     t0, t1, 1f
        addi    a0, a0, 1
        addi    a1, a1, 1
        bnez    t0, compare_strings
1:      sub     a0, t0, t1
        ret

# look_up(a0: record, a1: name): the value of the first record of that name from there on, or 0.
look_up:
        addi    sp, sp, -16
        sw      ra, 12(sp)
        sw      s4, 8(sp)
        sw      s5, 4(sp)
        mv      s4, a0
        mv      s5, a1
1:      addi    a0, s4, NAME
        mv      a1, s5
        call    compare_strings
        beqz    a0, 2f
        lw      s4, NEXT(s4)
        bnez    s4, 1b
        li      a0, 0
        j       3f
2:      lw      a0, VALUE(s4)
3:      lw      ra, 12(sp)
        lw      s4, 8(sp)
        lw      s5, 4(sp)
        addi    sp, sp, 16
        ret

# sum(a0: record): kinds and values of it and of all that follow, added up.
sum:
        li      t0, 0
1:      lw      t1, KIND(a0)
        add     t0, t0, t1
        lw      t1, VALUE(a0)
        add     t0, t0, t1
        lw      a0, NEXT(a0)
        bnez    a0, 1b
        mv      a0, t0
        ret

        .section .rodata
        .balign 4
rules:  .word   tenfold - rules, successor - rules, remainder - rules
pattern:
        .word   0, 0, 1234567
1:      .asciz  "GUEST PROGRAM NUMBER A"
        .space  32 - (. - 1b)
wanted: .asciz  "GUEST PROGRAM NUMBER N"

        .bss
        .balign 4
records:
        .space  RECORDS * RECORD
