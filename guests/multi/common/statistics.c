// What the kernel knows in the end of how long everything took, in ticks.

#include "statistics.h"
#include "lib.h"
#include "process.h"
#include "schedule.h"

// From start to end: each tick of a process's life was spent in one of these three states.
static uint32_t
turnaround(const struct process *p)
{
  return p->spent[RUNNING] + p->spent[READY] + p->spent[WAITING];
}

void
print_statistics(void)
{
  printf("%-12s %5s %8s %10s %9s %9s %9s %5s\n", "program", "owner", "priority", "turnaround",
         "running", "ready", "waiting", "runs");
  for (struct process *p = processes; p < processes + PROCESSES; p++)
    if (p->name != 0)
      printf("%-12s %5d %8d %10u %9u %9u %9u %5u\n", p->name, p->owner, p->priority,
             turnaround(p), (uint32_t)p->spent[RUNNING], (uint32_t)p->spent[READY],
             (uint32_t)p->spent[WAITING], p->runs);
  printf("%u ticks, %u of them idle, %u switches\n",
         (uint32_t)clock_now(), (uint32_t)idle_ticks, switches);
}
