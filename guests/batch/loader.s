# The loader: object cards, in Intel HEX, into the job's storage and nowhere else.
#
#       :LLAAAATTDD...CC
#
# LL is the number of data bytes DD, AAAA an address, TT the type of the record, and CC makes the
# sum of all bytes zero. Types: 00 data, 01 end, 02 and 04 the upper part of the addresses that
# follow (a segment, or a half-word), 05 the start address.

        .equ    RECORD, (CARD - 1) / 2  # bytes that fit on a card
        .equ    AROUND, 5               # bytes of a record that are not data
        .equ    RECORD_TYPES, 6         # entries of record_types

# hexadecimal digit: in place of a character, what it stands for, or a negative number
        .macro  hexadecimal digit
        addi    \digit, \digit, -'0'
        sltiu   t1, \digit, 10
        bnez    t1, 1f
        ori     \digit, \digit, 0x20      # a small letter
        addi    \digit, \digit, '0' - 'a'
        sltiu   t1, \digit, 6
        addi    \digit, \digit, 10
        bnez    t1, 1f
        li      \digit, -1
1:
        .endm

# load_object() -> a0: 0, or what is wrong; then the bad card is in `card`
#
# Takes the cards from $LOAD to $RUN. A control card that comes too early is held.
        .text
load_object:
        enter
        call    clear_job_storage
        li      t0, JOB_BASE
        sw      t0, job_entry, t1
        sw      zero, upper_part, t1
        la      a0, load_card
        la      a1, load_expected
        call    expect_card
        bnez    a0, 3f
1:      call    read_card
        beqz    a0, 4f
        lbu     t0, card
        li      t1, '$'
        beq     t0, t1, 2f
        call    take_record
        bgtz    a0, 1b
        bnez    a0, 3f
        la      a0, run_card
        la      a1, run_expected
        call    expect_card
        j       3f
2:      call    hold_card
        la      a0, no_end_record
3:      leave
4:      la      a0, deck_ends
        leave

# expect_card(a0: word, a1: what to say) -> a0: 0 if the next card begins with the word, else
# what is wrong
expect_card:
        enter
        mv      s0, a0
        mv      s1, a1
        call    read_card
        beqz    a0, 2f
        mv      a0, s0
        call    card_is
        bnez    a0, 1f
        lbu     t0, card
        addi    t0, t0, -'$'
        mv      a0, s1
        bnez    t0, 3f
        call    hold_card
        mv      a0, s1
        j       3f
1:      li      a0, 0
        j       3f
2:      la      a0, deck_ends
3:      leave

# clear_job_storage(): nothing of the job before remains.
clear_job_storage:
        li      t0, JOB_BASE
        li      t1, JOB_END
1:      sw      zero, 0(t0)
        sw      zero, 4(t0)
        sw      zero, 8(t0)
        sw      zero, 12(t0)
        sw      zero, 16(t0)
        sw      zero, 20(t0)
        sw      zero, 24(t0)
        sw      zero, 28(t0)
        addi    t0, t0, 32
        bltu    t0, t1, 1b
        ret

# take_record() -> a0: 1, if there are more to come; 0, if the record in `card` was the last; or
# what is wrong with it
take_record:
        enter
        call    read_record
        bnez    a0, 2f
        la      s0, record
        lbu     a1, 0(s0)               # number of data bytes
        lbu     t0, 3(s0)
        li      t1, RECORD_TYPES
        la      a0, unknown_record
        bgeu    t0, t1, 2f
        slli    t0, t0, 2
        la      t1, record_types
        add     t1, t1, t0
        lw      t1, 0(t1)
        lbu     a0, 1(s0)               # the record's address
        slli    a0, a0, 8
        lbu     t0, 2(s0)
        or      a0, a0, t0
        jalr    t1
2:      leave

# The functions for the types: (a0: address on the record, a1: number of data bytes) -> a0, as
# take_record.

take_data:
        enter
        mv      a2, a1
        lw      t0, upper_part
        add     s0, a0, t0
        mv      a0, s0
        call    in_job_storage
        mv      t0, a0
        la      a0, bad_address
        beqz    t0, 1f
        mv      a0, s0
        la      a1, record + 4
        call    copy
        li      a0, 1
1:      leave

take_end:
        li      a0, 0
        beqz    a1, 1f
        la      a0, bad_length
1:      ret

take_segment:
        li      a2, 4
        j       take_upper_part
take_upper_half:
        li      a2, 16
take_upper_part:
        addi    a1, a1, -2
        la      a0, bad_length
        bnez    a1, 1f
        lhu     t0, record + 4          # most significant byte first
        srli    t1, t0, 8
        slli    t0, t0, 24
        srli    t0, t0, 16
        or      t0, t0, t1
        sll     t0, t0, a2
        sw      t0, upper_part, t1
        li      a0, 1
1:      ret

take_start:
        enter
        addi    a1, a1, -4
        la      a0, bad_length
        bnez    a1, 2f
        la      t0, record + 4          # most significant byte first
        addi    t1, t0, 4
        li      s0, 0
1:      lbu     t2, 0(t0)
        slli    s0, s0, 8
        or      s0, s0, t2
        addi    t0, t0, 1
        bltu    t0, t1, 1b
        mv      a0, s0
        li      a1, 2
        call    in_job_storage
        andi    t0, s0, 1
        xori    t0, t0, 1
        and     t0, t0, a0
        la      a0, bad_start
        beqz    t0, 2f
        sw      s0, job_entry, t0
        li      a0, 1
2:      leave

take_nothing:
        la      a0, unknown_record
        ret

# in_job_storage(a0, a1: address and number of bytes, up to JOB_SIZE) -> a0: 1 if they are all in
# the job's storage, else 0
#
# Says what is right at the end of the address space, too: nothing is added to an address.
in_job_storage:
        li      t0, JOB_BASE
        sub     a0, a0, t0
        li      t0, JOB_SIZE
        sub     t0, t0, a1
        sltu    a0, t0, a0
        xori    a0, a0, 1
        ret

# read_record() -> a0: 0, and the record in `card` is in `record`, its sum is right and nothing is
# behind it; or what is wrong
read_record:
        enter
        la      s0, card
        lbu     t0, 0(s0)
        addi    t0, t0, -':'
        la      a0, no_record
        bnez    t0, 4f

        addi    s0, s0, 1
        la      s1, record
        addi    s2, s1, 1               # the end of the record, as far as it is known
        li      a3, 0                   # the sum
1:      mv      a0, s0
        call    scan_byte
        bltz    a0, 2f
        sb      a0, 0(s1)
        add     a3, a3, a0
        addi    s0, s0, 2
        addi    s1, s1, 1
        bltu    s1, s2, 1b
        la      t0, record
        lbu     t1, 0(t0)
        addi    t1, t1, AROUND
        li      t2, RECORD
        bgtu    t1, t2, 2f
        add     s2, t0, t1
        bltu    s1, s2, 1b

        andi    a3, a3, 0xff
        la      a0, bad_sum
        bnez    a3, 4f
        li      t0, ' '
3:      lbu     t1, 0(s0)
        addi    s0, s0, 1
        beq     t1, t0, 3b
        mv      a0, t1                  # 0, if this is the end of the card
        beqz    t1, 4f
        la      a0, more_on_card
        j       4f
2:      la      a0, not_hexadecimal
4:      leave

# scan_byte(a0: text) -> a0: the byte that its two hexadecimal digits stand for; negative, if they
# are none. Keeps a1 and up.
scan_byte:
        lbu     t0, 0(a0)
        lbu     a0, 1(a0)
        hexadecimal t0
        hexadecimal a0
        slli    t0, t0, 4
        or      a0, a0, t0
        ret

        .section .rodata
        .align  2
record_types:
        .word   take_data, take_end, take_segment, take_nothing, take_upper_half, take_start

load_expected:
        .asciz  "EXPECTED $LOAD"
run_expected:
        .asciz  "EXPECTED $RUN"
deck_ends:
        .asciz  "THE DECK ENDS BEFORE $RUN"
no_end_record:
        .asciz  "NO END RECORD BEFORE THE CONTROL CARD"
no_record:
        .asciz  "AN OBJECT CARD BEGINS WITH A COLON"
not_hexadecimal:
        .asciz  "THE RECORD IS CUT SHORT, OR IS NOT HEXADECIMAL"
bad_sum:
        .asciz  "CHECKSUM ERROR"
more_on_card:
        .asciz  "THERE IS MORE ON THE CARD THAN ITS RECORD"
unknown_record:
        .asciz  "UNKNOWN TYPE OF RECORD"
bad_length:
        .asciz  "A RECORD OF THIS TYPE HAS ANOTHER LENGTH"
bad_address:
        .asciz  "THE ADDRESSES ARE NOT IN THE JOB'S STORAGE"
bad_start:
        .asciz  "THE START ADDRESS IS ODD, OR NOT IN THE JOB'S STORAGE"

        .bss
        .align  2
upper_part:
        .space  4
record: .space  RECORD
