// Time. A job pays for all of it, from its start to its end. At the end of what it may use, an
// alarm takes the processor back: no job can keep it.

#include "monitor.h"

static uint64_t batch_began, job_began;

enum payer
charge(enum payer next)
{
  return JOB;
}

void
batch_begins(void)
{
  batch_began = clock_now();
}

void
job_begins(void)
{
  job_began = clock_now();
  csr_write(mie, INTERRUPT_MTI);        // in U-mode only: MIE stays 0
}

void
turn_begins(void)
{
  clock_alarm(clock_now() + job.seconds * SECOND);
}

void
turn_ends(void)
{
  job.used.ticks = clock_now() - job_began;
}

void
print_time(uint32_t ticks)
{
  put("%u TICKS = %u.%04u SECONDS", ticks, ticks / SECOND, ticks % SECOND);
}

void
print_elapsed(void)
{
  put("ELAPSED ");
  print_time(clock_now() - batch_began);
}
