// Two of these count together, in storage that they share. Without the lock, one may be interrupted
// between load and store, and then stores a number that the other has long passed.

#include "shared.h"
#include "user.h"

enum { TIMES = 1000, LOCK = 3, BOTH = 4 };

#define count (*(volatile int *)(SHARED + 256))

static void
count_once(void)
{
  if (CAREFUL)
    down(LOCK);
  count++;
  if (CAREFUL)
    up(LOCK);
}

int
main(void)
{
  semaphore(LOCK, 1);
  semaphore(BOTH, 0);
  for (int n = 0; n < TIMES; n++)
    count_once();
  if (IS_FIRST) {
    down(BOTH);                 // until the other one has done its part
    printf("counter: 2 times %d makes %d\n", TIMES, count);
  } else
    up(BOTH);
  return 0;
}
