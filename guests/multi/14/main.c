// Stage 14: files that survive, and a shell. Policies can be said: --append "policy=priority
// quantum=5000 replace=clock frames=10".

#include "arguments.h"
#include "disk_wait.h"
#include "frames.h"
#include "journal.h"
#include "inode.h"
#include "lib.h"
#include "machine.h"
#include "paging.h"
#include "policy.h"
#include "process.h"
#include "replace.h"
#include "schedule.h"
#include "slot.h"
#include "table.h"
#include "terminal.h"

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

// What init is born with: the terminal as its files 0, 1 and 2, and the directory /.
static void
open_files(void)
{
  journal_recover();
  inodes_reclaim();
  slots_begin(super.swap * SECTORS_OF_BLOCK, super.swap_blocks * BLOCK / PAGE);
  current->directory = inode_get(ROOT);
  current->files[0] = file_terminal();
  current->files[1] = file_again(current->files[0]);
  current->files[2] = file_again(current->files[0]);
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
  arguments_read(device_tree, "/bin/sh");
  choose_policies();
  make_storage(device_tree);
  disk_begin();
  terminal_begin();
  process_first(open_files);
  clock_no_alarm();
  csr_write(sie, INTERRUPT_SSI | INTERRUPT_SEI);
  run_processes();
  return 0;
}
