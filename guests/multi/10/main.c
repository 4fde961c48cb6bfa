// Stage 10: who runs next. Policy, quantum and programs can be said, these with owner and priority:
// --append "policy=fair quantum=5000 number-0/1 number-1/2 clerk-3/2/9".

#include "arguments.h"
#include "lib.h"
#include "machine.h"
#include "policy.h"
#include "process.h"
#include "schedule.h"
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
  arguments_read(device_tree, "number-0/1/1 number-1/2/1 clerk-3/2/5");
  quantum = setting_number("quantum", quantum);
  if (!choose_policy(setting("policy", "round-robin")))
    panic("policy=%s: there is no such policy", setting("policy", ""));
  start_programs();
  clock_no_alarm();
  csr_write(mie, INTERRUPT_MTI);
  run_processes();
  print_statistics();
  return 0;
}
