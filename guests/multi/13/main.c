// Stage 13: more storage than there is. Programs, the replacement policy, and how many pages a
// program may have in storage can be said: --append "replace=fifo frames=3 refer:123412512345".

#include "arguments.h"
#include "disk_wait.h"
#include "frames.h"
#include "image.h"
#include "lib.h"
#include "machine.h"
#include "paging.h"
#include "policy.h"
#include "process.h"
#include "replace.h"
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
choose_policies(void)
{
  quantum = setting_number("quantum", quantum);
  frames_limit = setting_number("frames", frames_limit);
  if (frames_limit < 3)
    frames_limit = 3;           // an instruction can lie in two pages, and use a third
  window = setting_number("window", window);
  if (!choose_policy(setting("policy", "round-robin")))
    panic("policy=%s: there is no such policy", setting("policy", ""));
  if (!choose_replacement(setting("replace", "clock")))
    panic("replace=%s: there is no such policy", setting("replace", ""));
}

int
main(uint32_t hart, uint32_t device_tree)
{
  arguments_read(device_tree, "bigsort bigsort");
  choose_policies();
  make_storage(device_tree);
  disk_begin();
  process_first(images_find);
  clock_no_alarm();
  csr_write(sie, INTERRUPT_SSI | INTERRUPT_SEI);
  run_processes();
  return 0;
}
