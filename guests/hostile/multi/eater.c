// Tries to take all storage and all room for pages, and to keep them; so do its children.

#include "attack.h"

enum { CHILDREN = 3, PAGE = 4096 };

int
main(void)
{
  for (int n = 0; n < CHILDREN && fork() != 0; n++)
    ;
  for (char *page; (page = grow(PAGE)) != NOWHERE;)
    *page = 1;
  keep_all();
}
