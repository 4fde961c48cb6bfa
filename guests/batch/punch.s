# The card punch.

# punch_card(a0, a1: up to CARD bytes): punches them as one card.
# The punch punches while the monitor goes on.
        .text
punch_card:
        enter
        la      s0, punch_image
        addi    s1, s0, CARD
        mv      t0, s0
        li      t1, 0x20202020
1:      sw      t1, 0(t0)
        addi    t0, t0, 4
        bltu    t0, s1, 1b

        mv      a2, a1
        mv      a1, a0
        mv      a0, s0
        call    copy

        li      a0, CARD_PUNCH
        call    await
        addi    t0, a0, BUFFER
2:      lw      t1, 0(s0)
        sw      t1, 0(t0)
        addi    s0, s0, 4
        addi    t0, t0, 4
        bltu    s0, s1, 2b
        li      t0, PUNCH_CARD
        sw      t0, COMMAND(a0)
        leave

        .bss
        .align  2
punch_image:
        .space  CARD
