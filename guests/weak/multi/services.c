// The kernel's services. Each gets the program's arguments, and believes none of them.

#include "services.h"
#include "calls.h"
#include "file_services.h"
#include "lib.h"
#include "paging.h"
#include "process.h"
#include "process_services.h"
#include "schedule.h"
#include "semaphore_services.h"
#include "storage.h"
#include "timer.h"

static int
service_yield(const uint32_t *argument)
{
  paging_look();
  yield();
  return 0;
}

static int
service_sleep(const uint32_t *argument)
{
  sleep_until(clock_now() + argument[0]);
  return 0;
}

static int
service_time(const uint32_t *argument)
{
  return clock_now();
}

static int
service_priority(const uint32_t *argument)
{
  current->priority = argument[0];
  return 0;
}

static int
service_lock(const uint32_t *argument)
{
  return storage_lock(argument[0], argument[1]) ? 0 : -1;
}

// Tells about the process in a slot. Its number, 0 if the slot is free, -1 behind the last.
static int
service_status(const uint32_t *argument)
{
  if (argument[0] >= PROCESSES)
    return -1;
  const struct process *p = &processes[argument[0]];
  struct status status = {
    .number = p->state != FREE ? p->number : 0, .parent = p->parent != 0 ? p->parent->number : 0,
    .state = p->state, .owner = p->owner, .priority = p->priority, .runs = p->runs,
    .running = p->spent[RUNNING], .ready = p->spent[READY], .waiting = p->spent[WAITING],
    .pages = space_pages(&p->space), .faults = p->faults};
  memcpy(status.name, p->name, NAME_LENGTH);
  return copy_out(argument[1], &status, sizeof status) ? status.number : -1;
}

static int
service_halt(const uint32_t *argument)
{
  printf("kernel: halted\n");
  power_off(argument[0]);
}

static int (*const services[CALLS])(const uint32_t *argument) = {
  [CALL_EXIT] = service_exit,
  [CALL_WRITE] = service_write,
  [CALL_YIELD] = service_yield,
  [CALL_SLEEP] = service_sleep,
  [CALL_TIME] = service_time,
  [CALL_PRIORITY] = service_priority,
  [CALL_SEMAPHORE] = service_semaphore,
  [CALL_DOWN] = service_down,
  [CALL_UP] = service_up,
  [CALL_SEND] = service_send,
  [CALL_RECEIVE] = service_receive,
  [CALL_FORK] = service_fork,
  [CALL_EXEC] = service_exec,
  [CALL_WAIT] = service_wait,
  [CALL_KILL] = service_kill,
  [CALL_GROW] = service_grow,
  [CALL_STATUS] = service_status,
  [CALL_LOCK] = service_lock,
  [CALL_OPEN] = service_open,
  [CALL_READ] = service_read,
  [CALL_CLOSE] = service_close,
  [CALL_DUP] = service_dup,
  [CALL_PIPE] = service_pipe,
  [CALL_SEEK] = service_seek,
  [CALL_STAT] = service_stat,
  [CALL_MKDIR] = service_mkdir,
  [CALL_CHDIR] = service_chdir,
  [CALL_LINK] = service_link,
  [CALL_UNLINK] = service_unlink,
  [CALL_HALT] = service_halt,
};

void
serve(struct trap_frame *frame)
{
  uint32_t *a0 = &frame->x[10];
  int number = frame->x[17];

  frame->pc += 4;               // behind the ECALL
  if (number < CALLS && services[number] != 0)
    *a0 = services[number](a0);
  else
    *a0 = -1;
}
