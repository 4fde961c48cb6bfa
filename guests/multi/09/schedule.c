// Who runs next: the one behind the one that ran last, if it is ready.

#include "schedule.h"
#include "lib.h"
#include "process.h"
#include "storage.h"
#include "timer.h"

uint64_t idle_ticks;

static struct context scheduler;        // of run_processes, while a process runs

void
leave(enum process_state state)
{
  current->state = state;
  switch_context(&current->context, &scheduler);
}

void
yield(void)
{
  leave(READY);
}

void
sleep(const void *channel)
{
  current->channel = channel;
  leave(WAITING);
}

void
wake(const void *channel)
{
  for (struct process *p = processes; p < processes + PROCESSES; p++)
    if (p->state == WAITING && p->channel == channel)
      make_ready(p);
}

void
make_ready(struct process *p)
{
  p->state = READY;
}

void
set_alarm(void)
{
  clock_alarm(next_wake());
}

static bool
all_have_ended(void)
{
  for (struct process *p = processes; p < processes + PROCESSES; p++)
    if (p->state != FREE)
      return false;
  return true;
}

// Looks at all others before it comes back to `last`.
static struct process *
next_ready(const struct process *last)
{
  for (int n = 1; n <= PROCESSES; n++) {
    struct process *p = processes + (last - processes + n) % PROCESSES;
    if (p->state == READY)
      return p;
  }
  return 0;
}

static void
run(struct process *p)
{
  current = p;
  p->state = RUNNING;
  storage_enter(p);
  set_alarm();
  switch_context(&scheduler, &p->context);      // until it leaves
  current = 0;
  if (p->stack[0] != STACK_MARK)
    panic("%s: its kernel stack is too small", p->name);
}

static void
idle(void)
{
  uint64_t since = clock_now();

  set_alarm();
  await_interrupt();
  idle_ticks += clock_now() - since;
}

void
run_processes(void)
{
  struct process *last = processes + PROCESSES - 1;

  while (!all_have_ended()) {
    struct process *next = next_ready(last);
    if (next == 0)
      idle();
    else
      run(last = next);
  }
}
