# The services that jobs call; interface.s says what they promise.

        .equ    SERVICES, 6             # entries of service_table

# service() -> a0: 0, if the job goes on; or how it ended
#
# The frame holds the job's call. A service gets the job's a0 and a1, trusts neither, and gives
# back in a0 what this function does; give_result sets the result.
        .text
service:
        enter
        la      s0, frame
        lw      t0, FRAME_A7(s0)
        li      t1, SERVICES
        la      a0, unknown_service
        bgeu    t0, t1, 1f
        lw      t1, FRAME_PC(s0)        # the job goes on behind its ecall
        addi    t1, t1, 4
        sw      t1, FRAME_PC(s0)
        slli    t0, t0, 2
        la      t1, service_table
        add     t1, t1, t0
        lw      t1, 0(t1)
        lw      a0, FRAME_A0(s0)
        lw      a1, FRAME_A1(s0)
        jalr    t1
        beqz    a0, 1f
        la      t0, normal_end
        beq     a0, t0, 1f
        lw      t1, FRAME_PC(s0)        # a bad call: the dump shows the ecall itself
        addi    t1, t1, -4
        sw      t1, FRAME_PC(s0)
1:      leave

# give_result(a0: result) -> a0: 0
give_result:
        sw      a0, frame + FRAME_A0, t0
        li      a0, 0
        ret

serve_exit:
        sw      a0, job_exit, t0
        la      a0, normal_end
        ret

serve_read:
        enter
        mv      s0, a0
        li      a1, CARD
        call    in_job_storage
        mv      t0, a0
        la      a0, bad_buffer
        beqz    t0, 3f
        call    read_card
        beqz    a0, 2f
        la      a1, card
        lbu     t0, 0(a1)
        li      t1, '$'
        beq     t0, t1, 1f
        mv      a0, s0
        li      a2, CARD
        call    copy
        la      t0, job_cards
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
        li      a0, CARD
        call    give_result
        leave
1:      call    hold_card
2:      li      a0, -1
        call    give_result
3:      leave

serve_print:
        enter
        mv      s0, a0
        mv      s1, a1
        li      a2, LINE
        call    check_buffer
        bnez    a0, 2f

        lw      t0, lines_on_page       # will it begin a page that the job may not have?
        beqz    t0, 1f
        addi    t0, t0, -PAGE_LINES
        bnez    t0, 3f
1:      lw      t0, pages
        lw      t1, pages_before
        sub     t0, t0, t1
        lw      t1, job_page_limit
        la      a0, page_limit
        bgeu    t0, t1, 2f

3:      mv      a0, s0
        mv      a1, s1
        call    put_bytes
        call    print_line
        la      t0, job_lines
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
        li      a0, 0
        call    give_result
2:      leave

serve_punch:
        enter
        mv      s0, a0
        mv      s1, a1
        li      a2, CARD
        call    check_buffer
        bnez    a0, 1f
        mv      a0, s0
        mv      a1, s1
        call    punch_card
        la      t0, job_punched
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
        li      a0, 0
        call    give_result
1:      leave

serve_time:
        lw      a0, job_used
        li      t0, SECOND
        divu    t0, a0, t0
        sw      t0, frame + FRAME_A1, t1
        j       give_result

serve_page:
        enter
        call    eject
        li      a0, 0
        call    give_result
        leave

# check_buffer(a0, a1: address and number of bytes; a2: most) -> a0: 0, or what is wrong
check_buffer:
        enter
        mv      t0, a0
        la      a0, bad_count
        bgtu    a1, a2, 1f
        li      a0, 0                   # no bytes: the address does not matter
        beqz    a1, 1f
        mv      a0, t0
        call    in_job_storage
        mv      t0, a0
        li      a0, 0
        bnez    t0, 1f
        la      a0, bad_buffer
1:      leave

        .section .rodata
        .align  2
service_table:
        .word   serve_exit, serve_read, serve_print, serve_punch, serve_time, serve_page

unknown_service:
        .asciz  "CALLED A SERVICE THAT DOES NOT EXIST"
bad_buffer:
        .asciz  "GAVE A SERVICE A BUFFER THAT IS NOT IN THE JOB'S STORAGE"
bad_count:
        .asciz  "GAVE A SERVICE TOO MANY BYTES"
page_limit:
        .asciz  "PAGE LIMIT EXCEEDED"
