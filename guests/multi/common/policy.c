// Scheduling policies. Each only says which of two ready processes goes first; who has been ready
// for longer does, where the policy sees no difference.

#include "policy.h"
#include "lib.h"
#include "process.h"

enum { PERIOD = 200000 };       // ticks after which half of what an owner used is forgotten

static uint32_t used[OWNERS];   // processor time, in ticks
static uint64_t forgotten;      // when that was last done

// In turns.
static bool
waits_longer(const struct process *a, const struct process *b)
{
  return (int32_t)(a->turn - b->turn) < 0;      // right also when the counter has run over
}

static bool
is_more_urgent(const struct process *a, const struct process *b)
{
  return a->priority != b->priority ? a->priority > b->priority : waits_longer(a, b);
}

// Owners get the same, however many processes they have. J. Henry, The Fair Share Scheduler, 1984.
static bool
owner_had_less(const struct process *a, const struct process *b)
{
  uint32_t of_a = used[a->owner], of_b = used[b->owner];
  return of_a != of_b ? of_a < of_b : waits_longer(a, b);
}

static const struct policy policies[] = {
  {"round-robin", waits_longer, false},
  {"priority", is_more_urgent, true},
  {"fair", owner_had_less, false},
  {0},
};

static const struct policy *policy = &policies[0];

bool
choose_policy(const char *name)
{
  for (const struct policy *p = policies; p->name != 0; p++)
    if (strcmp(p->name, name) == 0) {
      policy = p;
      return true;
    }
  return false;
}

struct process *
first_ready(void)
{
  struct process *first = 0;

  for (struct process *p = processes; p < processes + PROCESSES; p++)
    if (p->state == READY && (first == 0 || policy->goes_before(p, first)))
      first = p;
  return first;
}

bool
somebody_takes_over(void)
{
  if (!policy->takes_over)
    return false;
  const struct process *first = first_ready();
  return first != 0 && first->priority > current->priority;
}

// Who used much long ago is not to pay for it for ever.
static void
forget(void)
{
  uint64_t now = clock_now();

  if (now - forgotten < PERIOD)
    return;
  forgotten = now;
  for (int owner = 0; owner < OWNERS; owner++)
    used[owner] /= 2;
}

void
charge(const struct process *p, uint32_t ticks)
{
  forget();
  used[p->owner] += ticks;
}
