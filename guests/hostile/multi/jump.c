// Tries to run what is no code of its own: the kernel, devices, its own data, stack and heap.

#include "attack.h"
#include "machine.h"

static uint32_t target;
static uint32_t data[] = {0x00008067};  // ret

static void
jump(void)
{
  ((void (*)(void))target)();
}

static int
survives(uint32_t address)
{
  target = address;
  return outcome(jump) != -1;
}

int
main(void)
{
  uint32_t on_stack[] = {0x00008067}, *on_heap = grow(4096);
  int won = 0;

  on_heap[0] = 0x00008067;
  won += survives(0) + survives(UART) + survives(0xfffffffc) + survives(USER_STACK);
  for (uint32_t at = RAM; at < RAM + 0x8000; at += 0x1004)
    won += survives(at);
  won += survives((uint32_t)data) + survives((uint32_t)on_stack) + survives((uint32_t)on_heap);
  return verdict("jump", won);
}
