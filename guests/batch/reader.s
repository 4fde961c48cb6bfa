# The card reader, with one card that can be taken back.

# read_card() -> a0: 1, and the next card is in `card`; or 0 at the end of the deck.
        .text
read_card:
        enter
        la      t0, card_is_held
        lw      t1, 0(t0)
        sw      zero, 0(t0)
        bnez    t1, 2f

        li      a0, READER
        li      t0, FEED_CARD
        sw      t0, COMMAND(a0)
        call    await
        lw      t0, STATUS(a0)
        andi    t0, t0, END
        bnez    t0, 3f

        addi    a0, a0, BUFFER
        la      t0, card
        addi    t1, t0, CARD
1:      lw      t2, 0(a0)
        sw      t2, 0(t0)
        addi    a0, a0, 4
        addi    t0, t0, 4
        bltu    t0, t1, 1b
        la      t0, card_number
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
2:      li      a0, 1
        leave
3:      li      a0, 0
        leave

# hold_card(): the next read_card gives the same card again.
hold_card:
        li      t0, 1
        sw      t0, card_is_held, t1
        ret

        .bss
        .align  2
card:   .space  CARD
        .space  4                       # stays zero: ends every scan of a card
card_number:
        .space  4                       # in the deck, from 1
card_is_held:
        .space  4
