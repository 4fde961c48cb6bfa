// Scheduling policies: which of the ready processes gets the processor.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct process;

enum { OWNERS = 8 };            // owners of processes have numbers from 0 on

struct policy {
  const char *name;
  bool (*goes_before)(const struct process *a, const struct process *b);
  bool takes_over;              // not only when the quantum of the running one has ended
};

bool choose_policy(const char *name);           // false if there is none of this name
struct process *first_ready(void);              // 0 if none is ready
bool somebody_takes_over(void);                 // now, from the current process
void charge(const struct process *p, uint32_t ticks);   // it had the processor for so long
