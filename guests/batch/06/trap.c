// Traps of a job: calls for services, mistakes and attacks, and the alarm at the end of its time.

#include "monitor.h"

static void
monitor_failed(struct trap_frame *frame)
{
  static bool failing;

  if (failing)                          // even in saying so
    power_off(2);
  failing = true;
  end_line();
  print("THE MONITOR HAS FAILED: %s  PC %08x  MTVAL %08x",
        cause_text(frame->cause), frame->pc, frame->value);
  finish_output();
  power_off(2);
}

void
trap(struct trap_frame *frame)
{
  if ((frame->status & MSTATUS_MPP) != MSTATUS_MPP_U)
    monitor_failed(frame);
  turn_ends();
  const char *how = frame->cause == CAUSE_ECALL_U ? serve(frame) : cause_text(frame->cause);
  if (how != 0 && how != normal_end)
    print_dump(how, frame);
  if (how != 0)
    leave_job(how);
  frame->pc += 4;                       // behind the ecall
  go_on(frame);
}
