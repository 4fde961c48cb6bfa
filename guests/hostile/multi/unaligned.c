// Tries addresses that are no multiples of the size, also across the ends of its storage.

#include "attack.h"
#include "machine.h"

static char space[64];
static uint32_t at;

static void load(void) { if (REG32(at) != 0x04030201) leave(1); }
static void load_half(void) { if (REG16(at) != 0x0201) leave(1); }
static void store(void) { REG32(at) = 0x04030201; }
static void atomic(void) { asm volatile("amoswap.w t0, t0, (%0)" : : "r"(at) : "t0"); }
static void reserve(void) { asm volatile("lr.w t0, (%0)" : : "r"(at) : "t0"); }

// It is stopped, or does what it should.
static int
tries(uint32_t address, void attempt(void))
{
  at = address;
  return outcome(attempt) > 0;
}

int
main(void)
{
  int won = 0;

  for (int n = 0; n < 4; n++)
    space[n + 1] = n + 1;
  won += tries((uint32_t)space + 1, load) + tries((uint32_t)space + 1, load_half);
  won += tries((uint32_t)space + 3, store);
  at = (uint32_t)space + 2;
  won += outcome(atomic) != -1;         // these must be aligned
  won += outcome(reserve) != -1;
  at = USER_STACK - 2;
  won += (outcome(load) != -1) + (outcome(store) != -1);
  at = 0x3ffffffe;
  won += (outcome(load) != -1) + (outcome(store) != -1);
  return verdict("unaligned", won);
}
