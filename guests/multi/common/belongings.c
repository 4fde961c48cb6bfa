// What a process has beside its storage: semaphores.

#include "belongings.h"
#include "process.h"
#include "semaphore.h"

void
belongings_inherit(struct process *child)
{
  semaphores_inherit(child);
}

void
belongings_leave(void)
{
  semaphores_leave(current);
}
