// Tries to kill the first process, and those that there are none of; then all others.

#include "attack.h"

int
main(void)
{
  static const int none[] = {0, -1, (int)0x80000000, 0x7fffffff, 1};
  int won = 0;

  for (int n = 0; n < sizeof none / sizeof none[0]; n++)
    won += kill(none[n]) != -1;
  verdict("killer", won);
  for (int n = 2; n < 1000; n++)
    kill(n);                    // itself, too: nothing is printed here any more
  return 0;
}
