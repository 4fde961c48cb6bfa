// Keeps its own number in a variable, waits, and looks again. All that run it have the variable at
// the same address.

#include "user.h"

static volatile int mine;

int
main(int argc, char **argv)
{
  mine = time();
  int before = mine;
  sleep(20000);
  printf("same: what is at %p has %s\n", (void *)&mine, mine == before ? "not changed" : "changed");
  return mine != before;
}
