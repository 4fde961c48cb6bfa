// Has a secret in many pages, and tries to keep it: nobody else must ever see it.

#include "secret.h"

enum { PAGES = 60, PAGE = 4096 };

int
main(void)
{
  uint32_t *storage = grow(PAGES * PAGE);

  for (;;) {
    for (int n = 0; n < PAGES * PAGE / 4; n++)
      storage[n] = SECRET;
    sleep(200000);
  }
}
