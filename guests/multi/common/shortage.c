// Shortage: storage is full, and so is the disk's part for pages. Somebody has to go, and that is
// who has most. Else the next who needs a page would be stopped, however little it has.

#include "shortage.h"
#include "lib.h"
#include "process.h"
#include "schedule.h"
#include "table.h"
#include "timer.h"

// Pages, wherever they are.
static uint32_t
size_of(const struct process *p)
{
  uint32_t count = 0;

  if (p->space.table != 0)
    for (uint32_t page = 0; table_next(p->space.table, &page) != 0; page += PAGE)
      count++;
  return count;
}

static bool
is_alive(const struct process *p)
{
  return p->state > NEW && p->state < ENDED;
}

// Init aside: without it there is nothing.
static struct process *
largest(void)
{
  struct process *found = 0;
  uint32_t most = 0;

  for (struct process *p = processes + 1; p < processes + PROCESSES; p++)
    if (is_alive(p) && size_of(p) > most) {
      found = p;
      most = size_of(p);
    }
  return found;
}

bool
shortage_ends_somebody(void)
{
  struct process *p = largest();

  if (p == 0 || p == current || current->killed)
    return false;
  int number = p->number;
  if (!p->killed)
    printf("%s: stopped: storage is full, and it has most of it\n", p->name);
  process_kill(number);
  while (p->number == number && is_alive(p) && !current->killed)        // or both would wait
    sleep_until(clock_now() + quantum);
  return !current->killed;
}
