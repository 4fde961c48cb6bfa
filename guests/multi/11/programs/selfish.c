// Takes a lock, and waits for a message that nobody sends.

#include "user.h"

int
main(void)
{
  semaphore(LOCK, 1);
  down(LOCK);
  receive(LOCK, 0, 0);
  return 0;
}
