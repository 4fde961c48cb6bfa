// Every trap comes here: a program calls the kernel, or did what it may not do, or a device calls.

#include "trap.h"
#include "causes.h"
#include "deadlock.h"
#include "lib.h"
#include "machine.h"
#include "process.h"
#include "schedule.h"
#include "services.h"
#include "timer.h"

// The clock's interrupt, as M-mode passes it on.
static void
interrupt(void)
{
  csr_clear(sip, INTERRUPT_SSI);
  wake_sleepers();
  set_alarm();
}

// The program cannot go on. The others can.
static void
stop_program(const struct trap_frame *frame)
{
  printf("%s: stopped: %s, at %x, address %x\n",
         current->name, cause_name(frame->cause), frame->pc, frame->value);
  process_end(-1);
}

void
trap(struct trap_frame *frame)
{
  bool from_program = (frame->status & MSTATUS_SPP) == 0;

  if (frame->cause == CAUSE_S_SOFTWARE)
    interrupt();
  else if (frame->cause == CAUSE_ECALL_U)
    serve(frame);
  else if (from_program)
    stop_program(frame);
  else
    panic("kernel: %s, at %x, address %x", cause_name(frame->cause), frame->pc, frame->value);

  if (from_program && current->killed)
    process_end(-1);
  if (from_program && must_yield())
    yield();
}

// WFI ends when an interrupt is pending, also while it is not let in.
void
await_interrupt(void)
{
  if (next_wake() == UINT64_MAX) {      // nobody waits for the clock: nothing will ever happen
    print_waiting();
    panic("nobody can go on");
  }
  wait_for_interrupt();
  csr_set(sstatus, MSTATUS_SIE);
  csr_clear(sstatus, MSTATUS_SIE);
}
