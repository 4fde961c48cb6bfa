// Tries to find in fresh storage what somebody else has left there.

#include "secret.h"

enum { PIECE = 64 * 1024, PIECES = 32 };

static uint32_t fresh[PIECE / 4];

int
main(void)
{
  int won = find_secret(fresh, sizeof fresh);

  for (int n = 0; n < PIECES; n++)
    won += find_secret(grow(PIECE), PIECE);
  return verdict("scavenger", won);
}
