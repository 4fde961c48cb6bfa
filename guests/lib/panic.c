// The end of a program that cannot go on.

#include "lib.h"
#include "machine.h"

void
panic(const char *format, ...)
{
  va_list arguments;

  csr_clear(mstatus, MSTATUS_MIE);
  printf("panic: ");
  va_start(arguments, format);
  vprintf(format, arguments);
  printf("\n");
  power_off(1);
}
