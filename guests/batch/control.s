# Control cards. Everything on them is checked: names are 1 to NAME characters, numbers 1 to 9999.

        .equ    DIGITS, 4

# card_is(a0: word) -> a0: 1 if the card in `card` begins with this word and a blank, else 0
        .text
card_is:
        la      t0, card
1:      lbu     t1, 0(a0)
        lbu     t2, 0(t0)
        addi    a0, a0, 1
        addi    t0, t0, 1
        beqz    t1, 2f
        beq     t1, t2, 1b
        li      a0, 0
        ret
2:      addi    t2, t2, -' '
        seqz    a0, t2
        ret

# read_job_card() -> a0: 0, or what is wrong with the $JOB card in `card`
#
# What could be read is in the job's variables, even then.
read_job_card:
        enter
        la      a0, card + 4
1:      addi    a0, a0, 1
        lbu     t0, 0(a0)
        li      t1, ' '
        beq     t0, t1, 1b

        la      a1, job_name
        call    scan_name
        beqz    a0, 2f
        call    scan_comma
        beqz    a0, 3f
        la      a1, job_account
        call    scan_name
        beqz    a0, 2f
        call    scan_comma
        beqz    a0, 3f
        call    scan_number
        beqz    a0, 4f
        li      t0, SECOND
        mul     a1, a1, t0
        sw      a1, job_limit, t0
        call    scan_comma
        beqz    a0, 3f
        call    scan_number
        beqz    a0, 4f
        sw      a1, job_page_limit, t0
        lbu     t0, 0(a0)
        li      t1, ' '
        bne     t0, t1, 4f
        li      a0, 0
        leave
2:      la      a0, bad_name
        leave
3:      la      a0, missing_field
        leave
4:      la      a0, bad_number
        leave

# scan_name(a0: text, a1: room for NAME bytes and a zero) -> a0: what follows the name, or 0
#
# A name is made of anything that prints, except blanks and commas.
scan_name:
        addi    t2, a1, NAME
        mv      t3, a1
1:      lbu     t0, 0(a0)
        addi    t1, t0, -'!'
        sltiu   t1, t1, '~' - '!' + 1
        beqz    t1, 2f
        addi    t1, t0, -','
        beqz    t1, 2f
        beq     t3, t2, 3f
        sb      t0, 0(t3)
        addi    t3, t3, 1
        addi    a0, a0, 1
        j       1b
2:      bne     t3, a1, 4f
3:      li      a0, 0
4:      ret

# scan_comma(a0: text) -> a0: what follows the comma, or 0
scan_comma:
        lbu     t0, 0(a0)
        addi    a0, a0, 1
        addi    t0, t0, -','
        beqz    t0, 1f
        li      a0, 0
1:      ret

# scan_number(a0: text) -> a0: what follows the number, or 0; a1: the number
scan_number:
        li      a1, 0
        li      t2, 10
        addi    t3, a0, DIGITS
1:      lbu     t0, 0(a0)
        addi    t0, t0, -'0'
        bgeu    t0, t2, 2f
        beq     a0, t3, 3f
        mul     a1, a1, t2
        add     a1, a1, t0
        addi    a0, a0, 1
        j       1b
2:      bnez    a1, 4f
3:      li      a0, 0
4:      ret

        .section .rodata
job_card:
        .asciz  "$JOB"
load_card:
        .asciz  "$LOAD"
run_card:
        .asciz  "$RUN"
end_card:
        .asciz  "$EOJ"
bad_name:
        .asciz  "A NAME HAS 1 TO 8 CHARACTERS"
bad_number:
        .asciz  "SECONDS AND PAGES ARE NUMBERS FROM 1 TO 9999"
missing_field:
        .asciz  "EXPECTED $JOB NAME,ACCOUNT,SECONDS,PAGES"
