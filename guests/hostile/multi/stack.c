// Tries to run its stack over everything: endless recursion, and a stack pointer into the kernel.

#include "attack.h"
#include "machine.h"

static int
deeper(volatile int *above)
{
  volatile int here[200];

  here[0] = *above + 1;
  return *above != 0 ? deeper(here) + here[0] : 0;
}

static void
recurse(void)
{
  volatile int top = 1;
  deeper(&top);
}

static void
set_to_kernel(void)
{
  asm volatile("mv sp, %0; sw zero, 0(sp)" : : "r"(RAM + 0x10000));
}

// A trap with such a stack pointer must find the kernel's own stack.
static void
trap_there(void)
{
  asm volatile("mv sp, %0; li a7, 3; ecall; li a7, 1; li a0, 7; ecall" : : "r"(RAM + 0x10000)
               : "a0", "a7");
}

int
main(void)
{
  int won = outcome(recurse) != -1;

  won += outcome(set_to_kernel) != -1;
  won += outcome(trap_there) != 7;      // the kernel does not mind
  return verdict("stack", won);
}
