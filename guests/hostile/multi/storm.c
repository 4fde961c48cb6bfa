// Tries to keep the kernel busy: it calls services, and makes children that end, without end.

#include "attack.h"

int
main(void)
{
  for (;;) {
    priority(1000000);
    yield();
    grow(0);
    exec("", 0);
    open("/bin/../bin/../bin/../nothing", READ);
    if (fork() == 0)
      leave(0);
    wait(0);
  }
}
