// Waiting for the clock: one alarm serves all who wait, always set for the first of them.

#include "timer.h"
#include "lib.h"
#include "process.h"
#include "schedule.h"

static const char clock;                // the channel that they wait on

static bool
waits_for_clock(const struct process *p)
{
  return p->state == WAITING && p->channel == &clock;
}

void
sleep_until(uint64_t when)
{
  current->wake_at = when;
  sleep(&clock);
}

void
wake_sleepers(void)
{
  uint64_t now = clock_now();

  for (struct process *p = processes; p < processes + PROCESSES; p++)
    if (waits_for_clock(p) && p->wake_at <= now)
      make_ready(p);
}

uint64_t
next_wake(void)
{
  uint64_t first = UINT64_MAX;

  for (struct process *p = processes; p < processes + PROCESSES; p++)
    if (waits_for_clock(p) && p->wake_at < first)
      first = p->wake_at;
  return first;
}
