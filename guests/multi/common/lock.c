// Locks of the kernel. Who has one may take it again. Who has one is not killed.

#include "lock.h"
#include "schedule.h"

void
lock_take(struct lock *lock)
{
  hold();
  while (lock->holder != 0 && lock->holder != current)
    sleep(lock);
  lock->holder = current;
  lock->depth++;
}

void
lock_give(struct lock *lock)
{
  if (--lock->depth == 0) {
    lock->holder = 0;
    wake(lock);
  }
  let_go();
}
