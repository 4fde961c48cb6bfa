// Answers at a counter: waits for customers, and each wants an answer soon. Tells how long the one
// who had to wait longest waited beyond what could not be helped.

#include "user.h"

enum { CUSTOMERS = 20, BETWEEN = 5000, WORK = 300 };

static uint32_t
serve(void)
{
  uint32_t wanted = time() + BETWEEN;

  sleep(BETWEEN);
  uint32_t late = time() - wanted;
  for (volatile int work = 0; work < WORK; work++)
    ;
  return late;
}

int
main(void)
{
  uint32_t longest = 0;

  for (int n = 0; n < CUSTOMERS; n++) {
    uint32_t late = serve();
    if (late > longest)
      longest = late;
  }
  printf(NAME ": %d customers, the longest wait was %d ticks\n", CUSTOMERS, longest);
  return 0;
}
