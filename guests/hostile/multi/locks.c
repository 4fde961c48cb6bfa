// Tries to leave locks behind, to wait for itself, and to make numbers out of semaphores.

#include "attack.h"

enum { SEMAPHORES = 16 };

static void
take_all(void)
{
  for (int n = 0; n < SEMAPHORES; n++) {
    semaphore(n, 1);
    down(n);
  }
}

static int
take_and_count(void)
{
  int taken = 0;

  for (int n = 0; n < SEMAPHORES; n++)
    taken += semaphore(n, 1) == 0 && down(n) == 0;
  return taken;
}

int
main(void)
{
  int won = outcome(take_all) != 0;

  won += take_and_count() != SEMAPHORES;        // who had them has ended
  for (int n = 0; n < SEMAPHORES; n++)
    won += down(n) != -1;                       // it would wait for itself
  for (int n = 0; n < SEMAPHORES; n++)
    won += (up(n) != 0) + (up(n) != -1);        // a lock is not given back twice
  won += semaphore(SEMAPHORES, 0) != -1;
  won += semaphore(-1, 0) != -1;
  won += semaphore(0, -1) != -1;
  won += (down(SEMAPHORES) != -1) + (up(SEMAPHORES) != -1) + (up(-1) != -1);
  return verdict("locks", won);
}
