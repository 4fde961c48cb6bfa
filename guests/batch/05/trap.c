// Traps. A job calls for a service by an exception, and makes an exception where it goes wrong.
//
// The job runs in M-mode, as the monitor does. So nobody can tell whether an exception is the
// monitor's own fault, nor keep a job from doing what it likes.

#include "monitor.h"

void
trap(struct trap_frame *frame)
{
  turn_ends();
  const char *how = frame->cause == CAUSE_ECALL_M ? serve(frame) : cause_text(frame->cause);
  if (how != 0)
    leave_job(how);
  frame->pc += 4;                       // behind the ecall
  go_on(frame);
}
