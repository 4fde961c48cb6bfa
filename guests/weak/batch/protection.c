// The monitor's protection. A job runs in U-mode, where it can reach what a PMP entry allows.
//
// This monitor has holes: find them.

#include "monitor.h"

#define PMP_JOB ((JOB_BASE >> 2) + (JOB_SIZE >> 3) - 1) // NAPOT: the ones below tell the size
#define PMP_ALL 0xffffffff

// The first entry that fits an address decides. Jobs may read the tables of constants that are
// part of the monitor, but not write there.
void
protect_monitor(void)
{
  csr_write(pmpaddr0, PMP_JOB);
  csr_write(pmpaddr1, PMP_ALL);
  csr_write(pmpcfg0, (PMP_NAPOT | PMP_R) << 8 | PMP_NAPOT | PMP_R | PMP_W | PMP_X);
  csr_write(mcounteren, 0);             // a job learns the time from the monitor only
}

// U-mode, in which a wait for an interrupt is illegal, too.
uint32_t
job_status(void)
{
  return MSTATUS_MPP_U | MSTATUS_TW;
}

// Nothing of the job before remains where a program can be. The upper half is the stack.
void
clear_job_storage(void)
{
  memset((char *)JOB_BASE, 0, JOB_SIZE / 2);
}

const char *
check_buffer(uint32_t address, uint32_t size, uint32_t most)
{
  if (size > most)
    return "GAVE A SERVICE TOO MANY BYTES";
  if (size > 0 && (address < JOB_BASE || address + size > JOB_END))
    return "GAVE A SERVICE A BUFFER THAT IS NOT IN THE JOB'S STORAGE";
  return 0;
}
