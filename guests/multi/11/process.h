// Processes: programs that run, are ready to run, or wait for something.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "context.h"
#include "programs.h"
#include "trap.h"

enum { PROCESSES = 4, KERNEL_STACK = 4096 };

enum process_state { FREE, READY, RUNNING, WAITING, STATES };

struct process {
  const char *name;
  enum process_state state;
  const void *channel;          // WAITING: for what, an address that stands for it
  uint64_t wake_at;             // and if that is the clock, until when
  struct context context;       // of the kernel on its behalf, while it does not run
  uint32_t *stack;              // the kernel's on its behalf; the lowest word is a mark
  struct trap_frame *frame;     // of the program, at the end of that stack
  int partition;

  int owner;                    // who it runs for
  int priority;                 // higher ones go first
  uint32_t turn;                // READY: lower ones have been so for longer
  uint64_t since;               // when it got into its state
  uint64_t spent[STATES];       // ticks in each state
  uint32_t runs;                // how often it got the processor
};

extern struct process processes[PROCESSES];
extern struct process *current;         // 0 while nobody runs

enum { STACK_MARK = 0x57ac4e4d };       // if it has changed, the stack was too small

bool start_process(const struct program *program, int owner, int priority);
void end_process(void) __attribute__((noreturn));       // the current one
