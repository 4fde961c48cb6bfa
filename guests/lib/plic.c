// The interrupt controller: which device interrupts whom.

#include "lib.h"
#include "machine.h"

#define PRIORITY(source)        REG32(PLIC + 4 * (source))
#define ENABLE(context, source) REG32(PLIC + 0x2000 + 0x80 * (context) + 4 * ((source) / 32))
#define CLAIM(context)          REG32(PLIC + 0x200004 + 0x1000 * (context))

void
plic_enable(int context, int source)
{
  ENABLE(context, source) |= 1u << source % 32;
  PRIORITY(source) = 1;         // above the threshold; and last: QEMU looks at its lines again
}

int
plic_claim(int context)
{
  return CLAIM(context);
}

void
plic_complete(int context, int source)
{
  CLAIM(context) = source;
}
