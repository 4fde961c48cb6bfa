// Takes storage until there is no more, and says so; children of it find none either, until it
// ends.

#include "user.h"

enum { PIECE = 64 * 1024 };

int
main(void)
{
  uint32_t pieces = 0;
  char *at;

  while ((at = grow(PIECE)) != NOWHERE) {
    at[0] = at[PIECE - 1] = 1;
    pieces++;
  }
  printf("exhaust: got %s, and a child %s\n", pieces > 0 ? "something" : "nothing",
         fork() < 0 ? "found nothing" : "too");
  return 0;
}
