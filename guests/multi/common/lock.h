// Locks of the kernel: for what takes so long that others run in between.
#pragma once

#include "process.h"

struct lock {
  struct process *holder;       // 0 if it is free
  int depth;                    // how often the holder has taken it
};

void lock_take(struct lock *lock);
void lock_give(struct lock *lock);
