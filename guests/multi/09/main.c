// Stage 09: two programs in storage. Which ones can be said: --append "count intruder".

#include "arguments.h"
#include "lib.h"
#include "machine.h"
#include "process.h"
#include "schedule.h"

static void
start(const char *name)
{
  for (const struct program *p = programs; p->name != 0; p++)
    if (strcmp(p->name, name) == 0 && start_process(p))
      return;
  printf("kernel: %s cannot be started\n", name);
}

static void
start_programs(void)
{
  char name[ARGUMENT_LENGTH];

  for (int n = 0; argument(n, name); n++)
    start(name);
}

int
main(uint32_t hart, uint32_t device_tree)
{
  arguments_read(device_tree, "count wait");
  start_programs();
  clock_no_alarm();
  csr_write(mie, INTERRUPT_MTI);
  run_processes();
  printf("kernel: all have ended, %u ticks, %u of them idle\n",
         (uint32_t)clock_now(), (uint32_t)idle_ticks);
  return 0;
}
