// The monitor's protection. A job runs in U-mode, where it can reach what a PMP entry allows: the
// one entry that is set allows the job's own storage. And what the job cannot reach itself, no
// service reaches for it.

#include "monitor.h"

#define MISA_U (1 << ('U' - 'A'))
#define PMP_JOB ((JOB_BASE >> 2) + (JOB_SIZE >> 3) - 1) // NAPOT: the ones below tell the size

// Where a job could not be kept in, there is no batch. Without PMP, these registers trap.
static void __attribute__((aligned(4), noreturn))
no_protection(void)
{
  print("THIS MACHINE HAS NO USER MODE OR NO STORAGE PROTECTION: NO BATCH");
  finish_output();
  power_off(1);
}

void
protect_monitor(void)
{
  if ((csr_read(misa) & MISA_U) == 0)
    no_protection();
  csr_write(mtvec, no_protection);
  csr_write(pmpaddr0, PMP_JOB);
  csr_write(pmpcfg0, PMP_NAPOT | PMP_R | PMP_W | PMP_X);
  csr_write(mcounteren, 0);             // a job learns the time from the monitor only
  csr_write(mtvec, trap_entry);
}

// U-mode, in which a wait for an interrupt is illegal, too.
uint32_t
job_status(void)
{
  return MSTATUS_MPP_U | MSTATUS_TW;
}

// Nothing of the job before remains: no program, no data, no secrets.
void
clear_job_storage(void)
{
  memset((char *)JOB_BASE, 0, JOB_SIZE);
}

const char *
check_buffer(uint32_t address, uint32_t size, uint32_t most)
{
  if (size > most)
    return "GAVE A SERVICE TOO MANY BYTES";
  if (size > 0 && !in_job_storage(address, size))
    return "GAVE A SERVICE A BUFFER THAT IS NOT IN THE JOB'S STORAGE";
  return 0;
}
