// Processes: programs that are being made, ready to run, run, wait for something, or have ended,
// until somebody has asked how.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "context.h"
#include "file.h"
#include "space.h"
#include "status.h"
#include "trap.h"

enum { PROCESSES = 16, KERNEL_STACK = 4096 };

struct process {
  int number;
  char name[NAME_LENGTH];
  enum process_state state;
  const void *channel;          // WAITING: for what, an address that stands for it
  uint64_t wake_at;             // and if that is the clock, until when
  struct context context;       // of the kernel on its behalf, while it does not run
  uint32_t *stack;              // the kernel's on its behalf; the lowest word is a mark
  struct trap_frame *frame;     // of the program, at the end of that stack
  struct space space;
  struct file *files[FILES];    // that it has open; 0: none of this number
  struct inode *directory;      // where paths begin that do not begin with /
  struct process *parent;       // who is told of its end
  bool killed;                  // it must end as soon as it can
  int holding;                  // how much the kernel holds for it and must give back first
  int code;                     // ENDED: its exit code

  int owner;                    // who it runs for
  int priority;                 // higher ones go first
  uint32_t turn;                // READY: lower ones have been so for longer
  uint64_t since;               // when it got into its state
  uint64_t spent[STATES];       // ticks in each state
  uint32_t runs;                // how often it got the processor
  uint32_t faults;              // pages that had to be brought
};

extern struct process processes[PROCESSES];
extern struct process *current;         // 0 while nobody runs

enum { STACK_MARK = 0x57ac4e4d };       // if it has changed, the stack was too small

#define FIRST_PROGRAM "/bin/init"
void process_first(void before(void));  // makes init, the ancestor of all; first calls `before`
int process_fork(void);                 // the child's number, or -1
int process_wait(int *code);            // for a child's end: its number; -1 if there is no child
int process_kill(int number);           // -1 if there is none of this number
void process_kill_all_but(const struct process *spared);        // and but init
void process_end(int code) __attribute__((noreturn));   // the current one


// For the current process: from hold to let_go it is not killed, as the kernel would then lose what
// it has taken for it.
void hold(void);
void let_go(void);

// exec.c: another program for the current process. How many arguments it gets, or -1.
int process_exec(const char *name, uint32_t argv);      // from the program itself
int process_load(const char *name, char *const *texts, int count);
