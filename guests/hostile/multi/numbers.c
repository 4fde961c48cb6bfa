// Tries services that do not exist: numbers behind the last, negative ones, and very large ones.

#include "attack.h"

static int
call(uint32_t service)
{
  register uint32_t a0 asm("a0") = 1, a7 asm("a7") = service;

  asm volatile("ecall" : "+r"(a0) : "r"(a7) : "a1", "a2", "memory");
  return a0;
}

int
main(void)
{
  int won = call(0) != -1;

  for (uint32_t n = 31; n < 300; n++)
    won += (call(n) != -1) + (call(-n) != -1);
  for (uint32_t bit = 1u << 9; bit != 0; bit <<= 1)
    for (uint32_t n = 0; n < 31; n++)
      won += call(bit + n) != -1;
  return verdict("numbers", won);
}
