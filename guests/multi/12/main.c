// Stage 12: each program has all addresses to itself. Which ones run can be said:
// --append "family intruder same same".

#include "arguments.h"
#include "frames.h"
#include "lib.h"
#include "machine.h"
#include "policy.h"
#include "process.h"
#include "schedule.h"
#include "table.h"

// All storage is used from here on: the device tree will be overwritten.
static void
make_storage(uint32_t device_tree)
{
  uint32_t base, size;

  if (!device_tree_region(device_tree, "memory", &base, &size))
    panic("the device tree does not say how much storage there is");
  frames_find(base + size);
  table_make_kernel(base + size);
}

static void
nothing_more(void)
{
}

int
main(uint32_t hart, uint32_t device_tree)
{
  arguments_read(device_tree, "same same family");
  quantum = setting_number("quantum", quantum);
  if (!choose_policy(setting("policy", "round-robin")))
    panic("policy=%s: there is no such policy", setting("policy", ""));
  make_storage(device_tree);
  process_first(nothing_more);
  clock_no_alarm();
  csr_write(sie, INTERRUPT_SSI);
  run_processes();
  return 0;
}
