// The causes of traps, in words for a job's paper.

#include "monitor.h"

static const char *const exceptions[] = {
  [CAUSE_FETCH_MISALIGNED] = "INSTRUCTION ADDRESS MISALIGNED",
  [CAUSE_FETCH_ACCESS] = "INSTRUCTION FETCH OUTSIDE THE JOB'S STORAGE",
  [CAUSE_ILLEGAL] = "ILLEGAL OR PRIVILEGED INSTRUCTION",
  [CAUSE_BREAKPOINT] = "BREAKPOINT",
  [CAUSE_LOAD_MISALIGNED] = "LOAD ADDRESS MISALIGNED",
  [CAUSE_LOAD_ACCESS] = "LOAD FROM OUTSIDE THE JOB'S STORAGE",
  [CAUSE_STORE_MISALIGNED] = "STORE ADDRESS MISALIGNED",
  [CAUSE_STORE_ACCESS] = "STORE OUTSIDE THE JOB'S STORAGE",
  [CAUSE_ECALL_U] = "SERVICE CALL",
};

const char *
cause_text(uint32_t cause)
{
  if (cause == CAUSE_M_TIMER)
    return "TIME LIMIT EXCEEDED";
  if (cause < sizeof exceptions / sizeof exceptions[0])
    return exceptions[cause];
  return "UNKNOWN TRAP";
}
