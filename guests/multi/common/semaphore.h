// Semaphores: numbers that programs count down before they go on, and up to let others go on.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct process;

enum { SEMAPHORES = 16 };

// One that begins with 1 is a lock: who counts it down holds it until it is counted up.
struct semaphore {
  int value;                    // never negative
  bool is_lock;
  uint32_t users;               // a bit for each process that uses it; if none does, it is free
  struct process *holder;       // of a lock, or 0
};

extern struct semaphore semaphores[SEMAPHORES];

// For the current process; each returns -1 if it does not use this semaphore, or cannot.
int semaphore_use(uint32_t number, int value);  // begins with `value` if nobody uses it yet
int semaphore_down(uint32_t number);            // -1 also if that would be a deadlock
int semaphore_up(uint32_t number);

void semaphores_inherit(const struct process *child);   // from the current process
void semaphores_leave(const struct process *p);         // it has ended: its locks are free again
