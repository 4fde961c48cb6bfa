// Traps: of a job, as before; and interrupts of devices, which come while a job runs, and while the
// monitor runs or waits. An interrupt is nobody's fault: the time it takes is the monitor's.

#include "monitor.h"

// Said on the console: the way to the paper is long, and nothing can be trusted any more.
static void
monitor_failed(struct trap_frame *frame)
{
  printf("THE MONITOR HAS FAILED: %s  PC %08x  MTVAL %08x\n",
         cause_text(frame->cause), frame->pc, frame->value);
  power_off(2);
}

static void
serve_interrupts(void)
{
  int source;

  while ((source = plic_claim(PLIC_MACHINE)) != 0) {
    if (!unit_interrupt(source) && !spool_interrupt(source))
      panic("an interrupt of source %d", source);
    plic_complete(PLIC_MACHINE, source);
  }
  start_units();
}

// In the middle of the monitor; the job's turn is not touched.
static void
interrupted_monitor(struct trap_frame *frame)
{
  if (frame->cause != CAUSE_M_EXTERNAL)
    monitor_failed(frame);
  enum payer before = charge(MONITOR);
  serve_interrupts();
  charge(before);
}

static void
end_job(const char *how, struct trap_frame *frame)
{
  csr_set(mstatus, MSTATUS_MIE);
  if (how != normal_end)
    print_dump(how, frame);
  leave_job(how);
}

// While the monitor serves a job, interrupts may come.
static void
serve_job(struct trap_frame *frame)
{
  if (frame->cause != CAUSE_ECALL_U)
    end_job(cause_text(frame->cause), frame);
  csr_set(mstatus, MSTATUS_MIE);
  const char *how = serve(frame);
  if (how != 0)
    end_job(how, frame);
  frame->pc += 4;                       // behind the ecall
}

void
trap(struct trap_frame *frame)
{
  if ((frame->status & MSTATUS_MPP) == MSTATUS_MPP_M) {
    interrupted_monitor(frame);
    return;
  }
  turn_ends();
  if (frame->cause == CAUSE_M_EXTERNAL)
    serve_interrupts();
  else
    serve_job(frame);
  go_on(frame);
}
