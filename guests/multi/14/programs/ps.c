// Lists the processes: times are in thousands of ticks.

#include "user.h"

int
main(void)
{
  static const char *const states[] = {"free", "new", "ready", "running", "waiting", "ended"};
  struct status s;
  int number;

  printf("%6s %6s %-8s %8s %7s %7s %5s %6s  %s\n",
         "number", "parent", "state", "priority", "running", "waiting", "pages", "faults", "name");
  for (int slot = 0; (number = status(slot, &s)) >= 0; slot++)
    if (number > 0)
      printf("%6d %6d %-8s %8d %7u %7u %5u %6u  %s\n", s.number, s.parent, states[s.state],
             s.priority, s.running / 1000, s.waiting / 1000, s.pages, s.faults, s.name);
  return 0;
}
