// Tries to get, through the kernel, at the frame behind its own page: across a page's end.

#include "secret.h"

enum { PAGES = 80, PAGE = 4096 };

static uint32_t copy[PAGE / 4];

// Writes what begins at the last word of a page, and looks at what has arrived.
static int
look_behind(int file, char *page)
{
  seek(file, 0);
  write(file, page + PAGE - 4, PAGE);
  seek(file, 0);
  read(file, copy, sizeof copy);
  return find_secret(copy, sizeof copy);
}

int
main(void)
{
  int won = 0, file = open("/behind", READ + WRITE + CREATE);
  char *storage = grow((PAGES + 1) * PAGE);

  for (int n = 0; n <= PAGES; n++)
    storage[n * PAGE] = 1;
  for (int n = 0; n < PAGES; n++)
    won += look_behind(file, storage + n * PAGE);
  unlink("/behind");
  return verdict("neighbour", won);
}
