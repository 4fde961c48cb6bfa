// SORT: its data cards in order, printed and punched. By insertion, as one sorts cards by hand.

#include "job.h"

enum { MOST = 64 };             // cards that fit into the job's storage

static char cards[MOST][CARD_COLUMNS + 1];

// Puts the card behind the first `count`, which are in order, where it belongs among them.
static void
insert(int count)
{
  char card[CARD_COLUMNS + 1];

  memcpy(card, cards[count], sizeof card);
  for (; count > 0 && strcmp(cards[count - 1], card) > 0; count--)
    memcpy(cards[count], cards[count - 1], sizeof card);
  memcpy(cards[count], card, sizeof card);
}

int
main(void)
{
  int count = 0;

  while (count < MOST && read(cards[count]))
    insert(count++);
  for (int i = 0; i < count; i++) {
    print("%3d  %s", i + 1, cards[i]);
    punch(cards[i]);
  }
  return count;
}
