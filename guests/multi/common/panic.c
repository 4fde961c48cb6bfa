// The end of a kernel that cannot go on, in S-mode.

#include "lib.h"
#include "machine.h"

void
panic(const char *format, ...)
{
  va_list arguments;

  csr_clear(sstatus, MSTATUS_SIE);
  printf("panic: ");
  va_start(arguments, format);
  vprintf(format, arguments);
  printf("\n");
  power_off(1);
}
