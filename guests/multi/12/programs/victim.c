// A parent that kills its children: one that computes, one that waits, and one that has ended.

#include "user.h"

static int
child(int kind)
{
  int number = fork();

  if (number != 0)
    return number;
  if (kind == 0)
    for (;;)
      ;
  if (kind == 1)
    receive(0, 0, 0);
  exit(5);
}

int
main(void)
{
  int code, wrong = 0;

  for (int kind = 0; kind < 3; kind++) {
    int number = child(kind);
    sleep(30000);
    wrong += kill(number) != (kind < 2 ? 0 : -1);
    wrong += wait(&code) != number || code != (kind < 2 ? -1 : 5);
  }
  wrong += kill(999) != -1;
  printf("victim: %d went wrong\n", wrong);
  return wrong;
}
