// The serial port, a 16550A.

#include "lib.h"
#include "machine.h"

enum {
  RBR = 0,                      // read: the next byte received
  THR = 0,                      // write: a byte to be sent
  IER = 1,
  IER_RECEIVED = 1,
  LSR = 5,
  LSR_DATA_READY = 1,
  LSR_CAN_SEND = 0x20,
};

void
uart_put(char c)
{
  while ((REG8(UART + LSR) & LSR_CAN_SEND) == 0)
    ;
  REG8(UART + THR) = c;
}

int
uart_get(void)
{
  if ((REG8(UART + LSR) & LSR_DATA_READY) == 0)
    return -1;
  return REG8(UART + RBR);
}

void
uart_enable_interrupt(void)
{
  REG8(UART + IER) = IER_RECEIVED;
}
