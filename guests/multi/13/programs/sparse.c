// Has much storage and uses little of it, in a random order.

#include "user.h"

enum { PAGE = 4096, USED = 100 };

static uint32_t
pages(void)
{
  struct status all;

  for (int slot = 0; status(slot, &all) >= 0; slot++)
    if (all.state == RUNNING)
      return all.pages;
  return 0;
}

int
main(void)
{
  uint32_t size = 1000u << 20, wrong = 0;
  char *heap = grow(size);
  uint32_t place = 12345;

  if (heap == NOWHERE)
    return 1;
  for (int n = 0; n < 2 * USED; n++) {
    place = n == USED ? 12345 * 1664525u + 1013904223 : place * 1664525 + 1013904223;
    volatile uint32_t *at = (uint32_t *)(heap + place % (size / PAGE) * PAGE);
    if (n < USED)
      *at = n + 1;
    else
      wrong += *at != n - USED + 1;
  }
  printf("sparse: %u pages of storage for %u used, %s\n",
         pages(), USED, wrong == 0 ? "all as they were left" : "and not as they were left");
  return wrong;
}
