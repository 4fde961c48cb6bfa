// The process table: how processes begin and end.

#include "process.h"
#include "arguments.h"
#include "belongings.h"
#include "frames.h"
#include "lib.h"
#include "machine.h"
#include "schedule.h"
#include "table.h"

struct process processes[PROCESSES];
struct process *current;

static struct process *const first = processes;         // init
static int last_number;
static void (*prepare)(void);           // what there is to do before init can be loaded

// Where a new process begins on its kernel stack, as if it came back from a system call.
static void
begin(void)
{
  trap_return(current->frame);
}

// A new process, with all that the kernel's side of it needs; 0 if there is no room.
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
  *p = (struct process){
    .state = NEW, .number = ++last_number, .stack = stack, .since = clock_now()};
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
static void
begin_first(void)
{
  enum { WORDS = 8 };
  char words[WORDS][ARGUMENT_LENGTH], *texts[WORDS + 1] = {"init"};
  int count = 1;

  prepare();
  for (; count <= WORDS && argument(count - 1, words[count - 1]); count++)
    texts[count] = words[count - 1];
  current->frame->x[10] = process_load(FIRST_PROGRAM, texts, count);
  if (current->space.table == 0)
    panic("init cannot be started");
  begin();
}

void
process_first(void before(void))
{
  struct process *p = process_make();

  prepare = before;
  p->context.ra = (uint32_t)begin_first;
  make_ready(p);
}

// A child is like its parent in everything but its number, and the result of fork.
static void
be_born(struct process *child)
{
  memcpy(child->name, current->name, NAME_LENGTH);
  child->parent = current;
  child->owner = current->owner;
  child->priority = current->priority;
  child->killed = current->killed;
  *child->frame = *current->frame;
  child->frame->x[10] = 0;
  belongings_inherit(child);
  make_ready(child);
}

int
process_fork(void)
{
  struct process *child = process_make();

  if (child == 0)
    return -1;
  int number = child->number;
  hold();                       // killed now, we would leave a process behind that is nobody's
  if (!current->killed && space_copy(&child->space, &current->space))
    be_born(child);
  else {
    process_free(child);
    number = -1;
  }
  let_go();
  return number;
}

void
process_end(int code)
{
  if (current == first) {
    printf("kernel: init has ended with code %d\n", code);
    power_off(code);
  }
  hold();                       // it will never let go: nobody kills it any more
  table_enter(0);
  space_free(&current->space);
  belongings_leave();
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
