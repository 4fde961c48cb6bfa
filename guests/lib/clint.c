// The clock, its alarm, and the interrupt that a program can send itself. The first two
// registers have 64 bits, and the processor reads 32 at a time.

#include "lib.h"
#include "machine.h"

enum { MSIP = 0, MTIMECMP = 0x4000, MTIME = 0xbff8 };

uint64_t
clock_now(void)
{
  uint32_t high, low;

  do {                          // again, if the low half ran over in between
    high = REG32(CLINT + MTIME + 4);
    low = REG32(CLINT + MTIME);
  } while (high != REG32(CLINT + MTIME + 4));
  return (uint64_t)high << 32 | low;
}

void
clock_alarm(uint64_t when)
{
  REG32(CLINT + MTIMECMP) = UINT32_MAX;     // no alarm from a half-written number
  REG32(CLINT + MTIMECMP + 4) = when >> 32;
  REG32(CLINT + MTIMECMP) = when;
}

void
clock_no_alarm(void)
{
  clock_alarm(UINT64_MAX);
}

void
clock_software_interrupt(bool up)
{
  REG32(CLINT + MSIP) = up;
}
