// Tries to make the kernel spend its storage on page tables: a page here, the next far from there.

#include "attack.h"

enum { CHILDREN = 3, REACH = 4 << 20 };

int
main(void)
{
  for (int n = 0; n < CHILDREN && fork() != 0; n++)
    ;
  for (char *start; (start = grow(REACH)) != NOWHERE;)
    *start = 1;
  keep_all();
}
