// The process table: how processes begin and end.

#include "process.h"
#include "arguments.h"
#include "frames.h"
#include "lib.h"
#include "machine.h"
#include "schedule.h"
#include "semaphore.h"
#include "table.h"

struct process processes[PROCESSES];
struct process *current;

static struct process *const first = processes;         // init
static int last_number;

// Where a new process begins on its kernel stack, as if it came back from a system call.
static void
begin(void)
{
  trap_return(current->frame);
}

// Where a process goes on that was killed while it did not run.
static void
end_killed(void)
{
  process_end(-1);
}

// A slot, with all that the kernel's side of a process needs; 0 if there is none.
static struct process *
process_make(void)
{
  struct process *p = processes;

  while (p < processes + PROCESSES && p->state != FREE)
    p++;
  uint32_t *stack = p < processes + PROCESSES ? frame_take() : 0;
  if (stack == 0)
    return 0;
  stack[0] = STACK_MARK;
  *p = (struct process){.number = ++last_number, .stack = stack, .since = clock_now()};
  p->frame = (struct trap_frame *)((char *)stack + KERNEL_STACK - TRAP_FRAME_SIZE);
  p->context = (struct context){.ra = (uint32_t)begin, .sp = (uint32_t)p->frame};
  return p;
}

static void
process_free(struct process *p)
{
  frame_give(p->stack);
  p->state = FREE;
}

// Its arguments are the words that the machine was started with.
void
process_first(void)
{
  enum { WORDS = 8 };
  char words[WORDS][ARGUMENT_LENGTH], *texts[WORDS + 1] = {"init"};
  int count = 0;
  struct process *p = process_make();

  while (count < WORDS && argument(count, words[count])) {
    texts[count + 1] = words[count];
    count++;
  }
  p->frame->x[10] = process_load(p, "init", texts, count + 1);
  if (p->space.table == 0)
    panic("init cannot be started");
  make_ready(p);
}

int
process_fork(void)
{
  struct process *child = process_make();

  if (child == 0)
    return -1;
  if (!space_copy(&child->space, &current->space)) {
    process_free(child);
    return -1;
  }
  memcpy(child->name, current->name, NAME_LENGTH);
  child->parent = current;
  child->owner = current->owner;
  child->priority = current->priority;
  *child->frame = *current->frame;
  child->frame->x[10] = 0;      // which tells the child that it is the child
  semaphores_inherit(child);
  make_ready(child);
  return child->number;
}

void
process_end(int code)
{
  if (current == first) {
    printf("kernel: init has ended with code %d\n", code);
    power_off(code);
  }
  table_enter(0);
  space_free(&current->space);
  semaphores_leave(current);
  for (struct process *p = processes; p < processes + PROCESSES; p++)
    if (p->parent == current)
      p->parent = first;
  wake(first);                  // which may have got a child that has ended already
  wake(current->parent);
  current->code = code;
  leave(ENDED);
  panic("%s runs after its end", current->name);
}

int
process_wait(int *code)
{
  for (;;) {
    bool has_child = false;
    for (struct process *p = processes; p < processes + PROCESSES; p++) {
      if (p->state == FREE || p->parent != current)
        continue;
      has_child = true;
      if (p->state == ENDED) {
        *code = p->code;
        process_free(p);
        return p->number;
      }
    }
    if (!has_child)
      return -1;
    sleep(current);
  }
}

// What does not run does not have to be woken: it will run next where it ends. It can have left
// nothing half done, since the kernel does only whole things between two waits.
int
process_kill(int number)
{
  for (struct process *p = processes; p < processes + PROCESSES; p++)
    if (p->number == number && p->state != FREE && p->state != ENDED) {
      p->killed = true;
      if (p != current)
        p->context = (struct context){.ra = (uint32_t)end_killed, .sp = (uint32_t)p->frame};
      if (p->state == WAITING)
        make_ready(p);
      return 0;
    }
  return -1;
}

void
process_status(const struct process *p, struct status *status)
{
  *status = (struct status){
    .number = p->state != FREE ? p->number : 0, .parent = p->parent != 0 ? p->parent->number : 0,
    .state = p->state, .owner = p->owner, .priority = p->priority,
    .running = p->spent[RUNNING], .ready = p->spent[READY], .waiting = p->spent[WAITING],
    .runs = p->runs, .pages = space_pages(&p->space)};
  memcpy(status->name, p->name, NAME_LENGTH);
}
