// Tries to take all open files and pipes, with children that do the same; and ends without a word.

#include "attack.h"

enum { CHILDREN = 8 };

// More than it can have must be refused.
static int
take_all(void)
{
  int ends[2], taken = 0;

  while (taken < 100 && (pipe(ends) == 0 || open("/fruit", READ) >= 0))
    taken++;
  return taken >= 100 || dup(0) != -1;
}

int
main(void)
{
  int code, won = take_all();

  for (int n = 0; n < CHILDREN; n++)
    if (fork() == 0) {
      close(3);                 // it has got all that its parent had
      close(4);
      take_all();
      sleep(20000);
      leave(0);
    }
  while (wait(&code) > 0)
    ;
  return verdict("files", won);
}
