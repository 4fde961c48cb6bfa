// Tries to lock so many pages that there is no room for anybody else's.

#include "attack.h"

enum { CHILDREN = 8, PAGE = 4096 };

int
main(void)
{
  for (int n = 0; n < CHILDREN && fork() > 0; n++)
    ;
  for (char *page; (page = grow(PAGE)) != NOWHERE && lock(page, PAGE) == 0;)
    ;
  keep_all();
}
