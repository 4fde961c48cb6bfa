// Children, and what they inherit: a copy of everything, and from then on nothing is shared.

#include "user.h"

enum { CHILDREN = 3 };

static int inherited = 1;

static void
be_child(int n)
{
  inherited += n;
  sleep(5000 * n);
  exit(10 * n + inherited);
}

int
main(void)
{
  int code, sum = 0;
  int *heap = grow(4 * 1024);

  heap[1000] = 7;
  for (int n = 1; n <= CHILDREN; n++)
    if (fork() == 0)
      be_child(heap[1000] == 7 ? n : 0);
  while (wait(&code) > 0)
    sum += code;
  printf("family: the children's codes make %d, and mine is still %d\n", sum, inherited);
  return sum != 10 + 20 + 30 + 2 + 3 + 4 || inherited != 1;
}
