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
static void
kill(struct process *p)
{
  p->killed = true;
  if (p == current || p->holding > 0)
    return;
  p->context = (struct context){.ra = (uint32_t)end_killed, .sp = (uint32_t)p->frame};
  if (p->state == WAITING)
    make_ready(p);
}

// Not one that is still being made, or has ended.
static bool
can_be_killed(const struct process *p)
{
  return p->state > NEW && p->state < ENDED;
}

int
process_kill(int number)
{
  for (struct process *p = processes; p < processes + PROCESSES; p++)
    if (p->number == number && can_be_killed(p)) {
      kill(p);
      return 0;
    }
  return -1;
}

void
process_kill_all_but(const struct process *spared)
{
  for (struct process *p = processes + 1; p < processes + PROCESSES; p++)
    if (p != spared && can_be_killed(p))
      kill(p);
}
