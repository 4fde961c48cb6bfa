// Time, and who pays for it. A job pays for its own instructions, not for the monitor's, nor for
// the time in which nobody had anything to do. The three together are all the time there is.

#include "monitor.h"

#define ECALL 0x00000073

static uint64_t times[3], since;        // of each payer; and since when it is the present one's
static uint64_t closed[3];              // the times at the end
static enum payer payer;
static uint32_t way;                    // ticks that the way into a job and back takes

// All accounts are kept here: whatever passes between two calls is on one of them, and only once.
enum payer
charge(enum payer next)
{
  uint64_t now = clock_now();
  enum payer before = payer;

  times[payer] += now - since;
  since = now;
  payer = next;
  return before;
}

// Without `way`, the alarm could come before the job has done anything, again and again.
void
turn_begins(void)
{
  clock_alarm(clock_now() + job.seconds * SECOND - job.used.ticks + way);
  csr_set(mie, INTERRUPT_MTI);
  charge(JOB);
}

// The turn was charged to the job with the way in and back, which is the monitor's.
void
turn_ends(void)
{
  uint64_t before = times[JOB];

  charge(MONITOR);
  csr_clear(mie, INTERRUPT_MTI);
  uint32_t turn = times[JOB] - before, own = turn > way ? turn - way : 0;
  job.used.ticks += own;
  times[JOB] = before + own;
  times[MONITOR] += turn - own;
}

void
job_begins(void)
{
}

// The way is the same for each turn; a job that calls EXIT at once does nothing but go it. No
// device must interrupt that.
void
batch_begins(void)
{
  uint32_t interrupts = csr_swap(mie, 0);

  clear_job_storage();
  *(uint32_t *)JOB_BASE = ECALL;        // all registers are 0, and so is SERVICE_EXIT
  job = (struct job){.seconds = 1, .entry = JOB_BASE};
  since = clock_now();
  payer = MONITOR;
  run_job();
  way = job.used.ticks;
  memset(times, 0, sizeof times);
  csr_write(mie, interrupts);
}

uint64_t
time_of(enum payer one)
{
  return closed[one];
}

void
print_time(uint32_t ticks)
{
  put("%u TICKS = %u.%04u SECONDS", ticks, ticks / SECOND, ticks % SECOND);
}

void
print_elapsed(void)
{
  charge(MONITOR);
  memcpy(closed, times, sizeof closed);
  uint32_t elapsed = closed[JOB] + closed[MONITOR] + closed[IDLE];
  print("JOBS %llu + MONITOR %llu + IDLE %llu = %u TICKS",
        closed[JOB], closed[MONITOR], closed[IDLE], elapsed);
  put("ELAPSED ");
  print_time(elapsed);
}
