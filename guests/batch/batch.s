# The batch: jobs, one after the other, until the deck is empty.

        .equ    NAME, 8                 # longest name, in characters; a multiple of 4
        .equ    CHARGES, 4 * 5          # time, cards, lines, punched cards, pages

# batch()
        .text
batch:
        enter
        rdtime  t0
        sw      t0, batch_started, t1
1:      call    read_card
        beqz    a0, 2f
        la      a0, job_card
        call    card_is
        bnez    a0, 3f
        call    skip_card
        j       1b
3:      call    do_job
        j       1b

2:      call    print_summary
        li      a0, PRINTER             # the last line is on the paper before the end
        call    await
        leave

# do_job(): everything from a $JOB card, which is in `card`, to the job's last card.
do_job:
        enter
        call    begin_job
        call    read_job_card
        mv      s0, a0
        call    print_header
        bnez    s0, 1f
        call    load_object
        mv      s0, a0
        bnez    s0, 1f
        call    run_job
        mv      s0, a0
        j       2f
1:      mv      a0, s0
        call    print_refusal
2:      call    flush
        mv      a0, s0
        call    print_account
        leave

# begin_job(): a fresh account, and a fresh page.
begin_job:
        enter
        la      t0, job
        la      t1, job_end
1:      sw      zero, 0(t0)
        addi    t0, t0, 4
        bltu    t0, t1, 1b
        la      t0, jobs
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
        call    eject
        lw      t0, pages
        sw      t0, pages_before, t1
        leave

# flush(): the rest of the job's cards, up to its $EOJ, or the next $JOB, or the end of the deck.
flush:
        enter
1:      call    read_card
        beqz    a0, 3f
        la      a0, job_card
        call    card_is
        bnez    a0, 2f
        la      a0, end_card
        call    card_is
        bnez    a0, 3f
        call    skip_card
        j       1b
2:      call    hold_card
3:      leave

# skip_card(): counts a card that nobody wanted.
skip_card:
        la      t0, cards_skipped
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
        ret

        .bss
        .align  2
batch_started:
        .space  4
cards_skipped:
        .space  4
jobs:   .space  4

# What is known about the job at hand. Times are in ticks; they count U-mode only.
job:
job_name:
        .space  NAME + 4                # ends with a zero, as does the account
job_account:
        .space  NAME + 4
job_limit:
        .space  4
job_page_limit:
        .space  4
job_entry:
        .space  4
job_charges:                            # CHARGES bytes, and print_charges knows their order
job_used:
        .space  4                       # may go beyond the limit by the cost of a trap
job_cards:
        .space  4
job_lines:
        .space  4
job_punched:
        .space  4
job_pages:
        .space  4                       # known when it has ended
job_exit:
        .space  4
pages_before:
        .space  4
job_end:
