// Running a job: to the rest of the monitor, a job is a function that returns how it has ended.

#include "monitor.h"

const char normal_end[] = "ENDED NORMALLY";

// Where the registers of the job are saved, and where its traps are served.
static char trap_stack[4096] __attribute__((aligned(16)));

// Each turn of a job begins here, so that each costs the same. No interrupt may come in between.
void
go_on(struct trap_frame *frame)
{
  csr_clear(mstatus, MSTATUS_MIE);
  turn_begins();
  trap_return(frame);
}

const char *
run_job(void)
{
  struct trap_frame *frame = (struct trap_frame *)(trap_stack + sizeof trap_stack) - 1;

  memset(frame, 0, sizeof *frame);
  frame->x[SP] = JOB_END;
  frame->pc = job.entry;
  frame->status = job_status();
  fence_i();                            // its instructions have just been written as data
  job_begins();
  return enter_job(frame);
}
