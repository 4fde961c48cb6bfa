// The deck of cards, with one that can be taken back.

#include "monitor.h"

char card[CARD_COLUMNS + 1] __attribute__((aligned(4)));
uint32_t card_number;

static bool held;

bool
next_card(void)
{
  if (held) {
    held = false;
    return true;
  }
  if (!card_in(card))
    return false;
  card_number++;
  return true;
}

void
hold_card(void)
{
  held = true;
}
