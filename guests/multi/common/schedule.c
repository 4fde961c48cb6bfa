// Who runs next, and for how long: until it waits, or its quantum ends, or somebody more urgent
// comes.

#include "schedule.h"
#include "lib.h"
#include "machine.h"
#include "policy.h"
#include "process.h"
#include "storage.h"
#include "timer.h"

uint32_t quantum = 10000;
uint64_t idle_ticks;
uint32_t switches;

static struct context scheduler;        // of run_processes, while a process runs
static uint64_t quantum_end;
static uint32_t turns;

// All changes of state go through here, so that each tick of a process's life is counted once.
static void
enter_state(struct process *p, enum process_state state)
{
  uint64_t now = clock_now();
  uint32_t ticks = now - p->since;

  p->spent[p->state] += ticks;
  if (p->state == RUNNING)
    charge(p, ticks);
  p->state = state;
  p->since = now;
}

void
make_ready(struct process *p)
{
  p->turn = turns++;
  enter_state(p, READY);
}

void
leave(enum process_state state)
{
  enter_state(current, state);
  switch_context(&current->context, &scheduler);
}

void
yield(void)
{
  current->turn = turns++;
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
set_alarm(void)
{
  uint64_t wake_at = next_wake();

  clock_alarm(current != 0 && quantum_end < wake_at ? quantum_end : wake_at);
}

bool
must_yield(void)
{
  return clock_now() >= quantum_end || somebody_takes_over();
}

static bool
all_have_ended(void)
{
  for (struct process *p = processes; p < processes + PROCESSES; p++)
    if (p->state != FREE)
      return false;
  return true;
}

static void
run(struct process *p)
{
  current = p;
  enter_state(p, RUNNING);
  p->runs++;
  storage_enter(p);
  quantum_end = clock_now() + quantum;
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
  struct process *last = 0;

  while (!all_have_ended()) {
    struct process *next = first_ready();
    if (next == 0) {
      idle();
      continue;
    }
    switches += next != last;
    run(last = next);
  }
}
