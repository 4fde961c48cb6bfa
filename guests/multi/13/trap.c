// Every trap comes here: a program calls the kernel, or did what it may not do, or a device calls.

#include "trap.h"
#include "causes.h"
#include "disk_wait.h"
#include "lib.h"
#include "machine.h"
#include "paging.h"
#include "process.h"
#include "schedule.h"
#include "services.h"
#include "table.h"
#include "timer.h"

// The clock's interrupt, as M-mode passes it on.
static void
clock_interrupt(void)
{
  csr_clear(sip, INTERRUPT_SSI);
  wake_sleepers();
  set_alarm();
}

// The disk is the only device that interrupts.
static void
device_interrupt(void)
{
  int source;

  while ((source = plic_claim(PLIC_SUPERVISOR)) != 0) {
    disk_interrupt();
    plic_complete(PLIC_SUPERVISOR, source);
  }
}

// What a program wanted to do with an address for which there is no page in storage.
static uint32_t
needs(const struct trap_frame *frame)
{
  return frame->cause == CAUSE_FETCH_PAGE ? ENTRY_EXECUTE :
         frame->cause == CAUSE_LOAD_PAGE ? ENTRY_READ :
         frame->cause == CAUSE_STORE_PAGE ? ENTRY_WRITE : 0;
}

// The program cannot go on. The others can.
static void
stop_program(const struct trap_frame *frame)
{
  bool has_right = space_rights(&current->space, frame->value & -PAGE) & needs(frame);

  printf("%s: stopped: %s, at %x, address %x\n", current->name,
         has_right ? "there is no room for its page" : cause_name(frame->cause),
         frame->pc, frame->value);
  process_end(-1);
}

static void
program_trap(struct trap_frame *frame)
{
  if (frame->cause == CAUSE_ECALL_U)
    serve(frame);
  else if ((frame->cause & CAUSE_INTERRUPT) == 0 &&
           !space_fault(&current->space, frame->value, needs(frame)))
    stop_program(frame);
  if (current->killed)
    process_end(-1);
  if (must_yield()) {
    paging_look();
    yield();
  }
}

void
trap(struct trap_frame *frame)
{
  bool from_program = (frame->status & MSTATUS_SPP) == 0;

  if (frame->cause == CAUSE_S_SOFTWARE)
    clock_interrupt();
  else if (frame->cause == CAUSE_S_EXTERNAL)
    device_interrupt();
  else if (!from_program)
    panic("kernel: %s, at %x, address %x", cause_name(frame->cause), frame->pc, frame->value);

  if (from_program)
    program_trap(frame);
}

// WFI ends when an interrupt is pending, also while it is not let in.
void
await_interrupt(void)
{
  wait_for_interrupt();
  csr_set(sstatus, MSTATUS_SIE);
  csr_clear(sstatus, MSTATUS_SIE);
}
