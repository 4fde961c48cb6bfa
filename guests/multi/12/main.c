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

static uint32_t
end_of_storage(uint32_t device_tree)
{
  uint32_t base, size;

  if (!device_tree_region(device_tree, "memory", &base, &size))
    panic("the device tree does not say how much storage there is");
  return device_tree > (uint32_t)image_end ? device_tree & -PAGE : base + size;
}

int
main(uint32_t hart, uint32_t device_tree)
{
  arguments_read(device_tree, "same same family");
  quantum = setting_number("quantum", quantum);
  if (!choose_policy(setting("policy", "round-robin")))
    panic("policy=%s: there is no such policy", setting("policy", ""));
  uint32_t end = end_of_storage(device_tree);
  frames_find(end);
  table_make_kernel(end);
  process_first();
  clock_no_alarm();
  csr_write(sie, INTERRUPT_SSI);
  run_processes();
  return 0;
}
