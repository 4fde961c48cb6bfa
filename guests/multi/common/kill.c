// Ending a process from outside.

#include "process.h"
#include "schedule.h"

void
hold(void)
{
  current->holding++;
}

void
let_go(void)
{
  if (--current->holding == 0 && current->killed)
    process_end(-1);
}

// Where a process goes on that was killed while it did not run.
static void
end_killed(void)
{
  process_end(-1);
}

// A process that holds nothing can end where it is: when it runs next, it runs its end. One that
// does hold something must first let it go.
int
process_kill(int number)
{
  for (struct process *p = processes + 1; p < processes + PROCESSES; p++)
    if (p->number == number && p->state > NEW && p->state < ENDED) {
      p->killed = true;
      if (p != current && p->holding == 0) {
        p->context = (struct context){.ra = (uint32_t)end_killed, .sp = (uint32_t)p->frame};
        if (p->state == WAITING)
          make_ready(p);
      }
      return 0;
    }
  return -1;
}
