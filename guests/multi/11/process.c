// The process table: how processes begin and end.

#include "process.h"
#include "lib.h"
#include "machine.h"
#include "partition.h"
#include "schedule.h"
#include "semaphore.h"

struct process processes[PROCESSES];
struct process *current;

static uint32_t stacks[PROCESSES][KERNEL_STACK / 4] __attribute__((aligned(16)));

// Where a new process begins on its kernel stack, as if it came back from a system call.
static void
begin(void)
{
  trap_return(current->frame);
}

static struct process *
find_free(void)
{
  for (struct process *p = processes; p < processes + PROCESSES; p++)
    if (p->state == FREE)
      return p;
  return 0;
}

// Makes the kernel's side of a process whose program begins at `entry`.
static void
prepare(struct process *p, uint32_t entry)
{
  p->stack = stacks[p - processes];
  p->stack[0] = STACK_MARK;
  p->frame = (struct trap_frame *)((char *)p->stack + KERNEL_STACK - TRAP_FRAME_SIZE);
  *p->frame = (struct trap_frame){.pc = entry, .status = MSTATUS_MPP_U | MSTATUS_MPIE};
  p->frame->x[2] = partition_start(p->partition) + PARTITION_SIZE;      // sp
  p->context = (struct context){.ra = (uint32_t)begin, .sp = (uint32_t)p->frame};
}

bool
start_process(const struct program *program, int owner, int priority)
{
  struct process *p = find_free();
  uint32_t entry;

  if (p == 0)
    return false;
  int partition = partition_load(program->start, program->size, &entry);
  if (partition < 0)
    return false;
  *p = (struct process){
    .name = program->name, .partition = partition, .owner = owner, .priority = priority,
    .since = clock_now()};
  prepare(p, entry);
  make_ready(p);
  return true;
}

void
end_process(void)
{
  semaphores_leave(current);
  leave(FREE);
  panic("%s runs after its end", current->name);
}
