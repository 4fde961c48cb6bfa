// Uses the pages of its heap in the order of a reference string: digits are numbers of pages. All
// else that it has is locked, so that nothing but these pages comes and goes.

#include "user.h"

enum { PAGE = 4096, PAGES = 10 };

static uint32_t
faults(void)
{
  struct status all;

  for (int slot = 0; status(slot, &all) >= 0; slot++)
    if (all.state == RUNNING)
      return all.faults;
  return 0;
}

static int
lock_all(void)
{
  int image = lock(image_start, image_end - image_start);
  return image < 0 ? image : lock((void *)(USER_STACK - PAGE), PAGE);
}

int
main(int argc, char **argv)
{
  const char *string = argc > 1 ? argv[1] : "70120304230321201701";
  uint32_t last = 0;

  if (lock_all() < 0) {
    printf("refer: cannot be locked\n");
    return 1;
  }
  volatile char *heap = grow(PAGES * PAGE);
  uint32_t before = faults();
  printf("refer:");
  for (const char *p = string; *p != 0; p++) {
    heap[(*p - '0') * PAGE]++;
    yield();                    // the kernel looks which pages were used
    uint32_t count = faults() - before;
    printf(" %c%s", *p, count > last ? "*" : "");
    last = count;
  }
  printf(": %u faults\n", last);
  return 0;
}
