// Wants to switch interrupts off, so that nobody can take the processor away.

#include "machine.h"
#include "user.h"

int
main(void)
{
  printf("privileged: now for the whole machine\n");
  csr_clear(mstatus, MSTATUS_MIE);
  return 1;
}
