// Stage 11: programs that wait for each other, and tell each other when to go on. Which ones can be
// said: --append "philosopher-0 philosopher-1 philosopher-2 philosopher-3".

#include "arguments.h"
#include "lib.h"
#include "machine.h"
#include "policy.h"
#include "process.h"
#include "schedule.h"
#include "shared.h"
#include "statistics.h"

// The digit behind the next stroke in *p, which ends the text before; 0 if there is none.
static int
take_digit(char **p)
{
  char *stroke = strchr(*p, '/');

  if (stroke == 0)
    return 0;
  *stroke = 0;
  *p = stroke + 1;
  return **p >= '0' && **p <= '9' ? **p - '0' : 0;
}

// What is to be started: name/owner/priority.
static void
start(char *what)
{
  char *rest = what;
  int owner = take_digit(&rest), priority = take_digit(&rest);

  for (const struct program *p = programs; p->name != 0; p++)
    if (strcmp(p->name, what) == 0 && owner < OWNERS && start_process(p, owner, priority))
      return;
  printf("kernel: %s cannot be started\n", what);
}

static void
start_programs(void)
{
  char what[ARGUMENT_LENGTH];

  for (int n = 0; argument(n, what); n++)
    start(what);
}

int
main(uint32_t hart, uint32_t device_tree)
{
  arguments_read(device_tree, "producer-0 consumer-1 client-2 server-3");
  quantum = setting_number("quantum", quantum);
  if (!choose_policy(setting("policy", "round-robin")))
    panic("policy=%s: there is no such policy", setting("policy", ""));
  share_storage();
  start_programs();
  clock_no_alarm();
  csr_write(mie, INTERRUPT_MTI);
  run_processes();
  print_statistics();
  return 0;
}
