// Semaphores. E. W. Dijkstra, Cooperating Sequential Processes, 1965: P is down, V is up. Since
// nothing interrupts the kernel, nobody can come between looking at a value and changing it.

#include "semaphore.h"
#include "deadlock.h"
#include "process.h"
#include "schedule.h"

struct semaphore semaphores[SEMAPHORES];

static uint32_t
user_bit(const struct process *p)
{
  return 1u << (p - processes);
}

// The semaphore, if the current process uses it.
static struct semaphore *
find(uint32_t number)
{
  if (number >= SEMAPHORES || (semaphores[number].users & user_bit(current)) == 0)
    return 0;
  return &semaphores[number];
}

int
semaphore_use(uint32_t number, int value)
{
  if (number >= SEMAPHORES || value < 0)
    return -1;
  struct semaphore *s = &semaphores[number];
  if (s->users == 0)
    *s = (struct semaphore){.value = value, .is_lock = value == 1};
  s->users |= user_bit(current);
  return 0;
}

int
semaphore_down(uint32_t number)
{
  struct semaphore *s = find(number);

  if (s == 0)
    return -1;
  while (s->value == 0) {       // again after waiting: somebody else may have been faster
    if (closes_circle(s))
      return -1;
    sleep(s);
  }
  s->value--;
  if (s->is_lock)
    s->holder = current;
  return 0;
}

static void
up(struct semaphore *s)
{
  s->value++;
  s->holder = 0;
  wake(s);
}

int
semaphore_up(uint32_t number)
{
  struct semaphore *s = find(number);

  if (s == 0 || s->value == INT32_MAX || (s->is_lock && s->value == 1))
    return -1;
  up(s);
  return 0;
}

void
semaphores_inherit(const struct process *child)
{
  for (struct semaphore *s = semaphores; s < semaphores + SEMAPHORES; s++)
    if (s->users & user_bit(current))
      s->users |= user_bit(child);
}

void
semaphores_leave(const struct process *p)
{
  for (struct semaphore *s = semaphores; s < semaphores + SEMAPHORES; s++) {
    s->users &= ~user_bit(p);
    if (s->holder == p)
      up(s);
  }
}
