// The console: characters to and from the terminal, without interrupts.
// A kernel that lets its processes sleep defines these three itself.

#include "lib.h"

void
putchar(char c)
{
  uart_put(c);
}

int
console_poll(void)
{
  int c = uart_get();
  return c == '\r' ? '\n' : c;  // the Enter key sends a carriage return
}

int
getchar(void)
{
  int c;
  while ((c = console_poll()) < 0)
    ;
  return c;
}
