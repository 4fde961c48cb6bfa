// Tries to make the kernel wait for ever: it fills a pipe that nobody but itself can read.

#include "attack.h"

int
main(void)
{
  int ends[2];

  pipe(ends);
  for (;;)
    write(ends[1], ends, sizeof ends);
}
