// The wait-for graph: a process that waits for a lock has an edge to the lock's holder. As nobody
// waits for two locks at once, one path leads away from each process, and it is quickly walked.

#include "deadlock.h"
#include "lib.h"
#include "process.h"
#include "semaphore.h"

// What a process waits for, if that is a semaphore.
static const struct semaphore *
wanted_by(const struct process *p)
{
  const struct semaphore *s = p->channel;
  return p->state == WAITING && s >= semaphores && s < semaphores + SEMAPHORES ? s : 0;
}

static void
print_edge(const struct process *p, const struct semaphore *s)
{
  printf(" %s waits for %d", p->name, (int)(s - semaphores));
  if (s->holder != 0)
    printf(", held by %s;", s->holder->name);
}

static void
print_circle(const struct semaphore *wanted)
{
  printf("deadlock:");
  print_edge(current, wanted);
  for (const struct process *p = wanted->holder; p != current; p = wanted_by(p)->holder)
    print_edge(p, wanted_by(p));
  printf(" refused\n");
}

// No circle can be there already, or its last edge would have been refused; so the walk ends.
bool
closes_circle(const struct semaphore *wanted)
{
  for (const struct semaphore *s = wanted; s != 0 && s->holder != 0; s = wanted_by(s->holder))
    if (s->holder == current) {
      print_circle(wanted);
      return true;
    }
  return false;
}

void
print_waiting(void)
{
  for (const struct process *p = processes; p < processes + PROCESSES; p++)
    if (p->state == WAITING) {
      printf("kernel:");
      if (wanted_by(p) != 0)
        print_edge(p, wanted_by(p));
      else
        printf(" %s waits", p->name);
      printf("\n");
    }
}
