// Yours: what may a program not do, and does the kernel see to it? Build, run, and type `mine`.

#include "user.h"

int
main(void)
{
  printf("mine: the kernel %s a pointer to nothing\n", write(1, 0, 4) < 0 ? "refuses" : "takes");
  return 0;
}
