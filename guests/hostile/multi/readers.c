// Tries to read the same bytes twice: many readers of one pipe, whose buffers have left storage.

#include "attack.h"

enum { READERS = 6, BYTES = 400, PAGES = 8, PAGE = 4096 };

static char buffers[PAGES][PAGE];

// Each byte to another page. How many there were.
static int
count_bytes(int file)
{
  int count = 0;

  for (int n = 0; n < PAGES; n++)
    buffers[n][0] = 1;
  while (count < 2 * BYTES && read(file, buffers[count % PAGES], 1) == 1)
    count++;
  return count;
}

int
main(void)
{
  int ends[2], code, sum = 0;

  pipe(ends);
  for (int n = 0; n < READERS; n++)
    if (fork() == 0) {
      close(ends[1]);
      leave(count_bytes(ends[0]));
    }
  close(ends[0]);
  for (int n = 0; n < BYTES; n++)
    write(ends[1], "x", 1);
  close(ends[1]);
  while (wait(&code) > 0)
    sum += code;
  return verdict("readers", sum != BYTES);
}
