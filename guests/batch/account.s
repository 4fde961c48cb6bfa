# What a job's paper says before and after it, and the account of the whole batch.

# print_header(): the job's first line.
        .text
print_header:
        enter
        put     "JOB "
        lw      a0, jobs
        call    put_number
        put     "  "
        la      a0, job_name
        call    put_string
        put     "  ACCOUNT "
        la      a0, job_account
        call    put_string
        put     "  LIMITS: SECONDS "
        lw      a0, job_limit
        li      t0, SECOND
        divu    a0, a0, t0
        call    put_number
        put     ", PAGES "
        lw      a0, job_page_limit
        call    put_number
        call    print_line
        call    print_line
        leave

# print_refusal(a0: what is wrong): the job does not run because of its card in `card`.
print_refusal:
        enter
        mv      s0, a0
        put     "*** CARD "
        lw      a0, card_number
        call    put_number
        put     ": "
        mv      a0, s0
        call    put_string
        call    print_line
        put     "    "
        la      a0, card
        li      a1, CARD
        call    put_bytes
        call    print_line
        la      t0, jobs_refused
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
        lw      t0, pages
        lw      t1, pages_before
        sub     t0, t0, t1
        sw      t0, job_pages, t1
        leave

# print_account(a0: how the job ended): and adds it to the batch's account.
print_account:
        enter
        mv      s0, a0
        call    print_rule
        put     "JOB "
        la      a0, job_name
        call    put_string
        put     "  ACCOUNT "
        la      a0, job_account
        call    put_string
        put     "  "
        mv      a0, s0
        call    put_string
        la      t0, normal_end
        bne     s0, t0, 1f
        put     ", CODE "
        lw      a0, job_exit
        call    put_signed
        la      t0, jobs_well
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
1:      call    print_line
        la      a0, job_charges
        call    print_charges
        call    print_rule

        la      t0, job_charges
        la      t1, batch_charges
        addi    t2, t0, CHARGES
2:      lw      t3, 0(t0)
        lw      t4, 0(t1)
        add     t3, t3, t4
        sw      t3, 0(t1)
        addi    t0, t0, 4
        addi    t1, t1, 4
        bltu    t0, t2, 2b
        leave

# print_summary(): the batch's last page.
print_summary:
        enter
        call    eject
        call    print_rule
        put     "END OF BATCH  JOBS "
        lw      s0, jobs
        mv      a0, s0
        call    put_number
        put     "  ENDED NORMALLY "
        lw      s1, jobs_well
        mv      a0, s1
        call    put_number
        put     "  ENDED BADLY "
        lw      s2, jobs_refused
        sub     a0, s0, s1
        sub     a0, a0, s2
        call    put_number
        put     "  REFUSED "
        mv      a0, s2
        call    put_number
        call    print_line
        la      a0, batch_charges
        call    print_charges
        put     "ELAPSED "
        rdtime  a0
        lw      t0, batch_started
        sub     a0, a0, t0
        call    put_time
        put     "  CARDS IN ALL "
        lw      a0, card_number
        call    put_number
        put     ", SKIPPED "
        lw      a0, cards_skipped
        call    put_number
        call    print_line
        call    print_rule
        leave

# print_charges(a0: charges)
print_charges:
        enter
        mv      s0, a0
        put     "TIME "
        lw      a0, 0(s0)
        call    put_time
        put     "  CARDS READ "
        lw      a0, 4(s0)
        call    put_number
        put     "  LINES "
        lw      a0, 8(s0)
        call    put_number
        put     "  PAGES "
        lw      a0, 16(s0)
        call    put_number
        put     "  CARDS PUNCHED "
        lw      a0, 12(s0)
        call    put_number
        call    print_line
        leave

# put_time(a0: ticks): in ticks and in seconds with four decimals.
put_time:
        enter
        mv      s0, a0
        call    put_number
        put     " TICKS = "
        li      t0, SECOND
        divu    a0, s0, t0
        call    put_number
        put     "."
        li      t0, SECOND
        remu    a0, s0, t0
        li      a1, 4                   # SECOND is 10,000 ticks
        call    put_digits
        put     " SECONDS"
        leave

# print_rule(): a line across the paper.
print_rule:
        enter
        put     "--------------------------------------------------------------------------------"
        call    print_line
        leave

        .bss
        .align  2
batch_charges:
        .space  CHARGES
jobs_well:
        .space  4
jobs_refused:
        .space  4
