// Who has the processor. The kernel runs with interrupts off, so that each of these happens as a
// whole, and only here does one process's part of the kernel make room for another's.
#pragma once

#include <stdint.h>

#include "process.h"

void yield(void);                       // the current process stays ready
void sleep(const void *channel);        // it waits until somebody calls wake on the channel
void wake(const void *channel);
void make_ready(struct process *p);
void leave(enum process_state state);   // it gets into that state, and comes back when run again
bool must_yield(void);                  // from stage 10 on: it has had enough, or is not urgent
void set_alarm(void);                   // for the first thing that the clock has to tell
void run_processes(void);               // until all have ended

extern uint32_t quantum;                // ticks; this one and the next from stage 10 on
extern uint32_t switches;               // from one process to another
extern uint64_t idle_ticks;             // while nobody could run

// trap.c: waits for an interrupt, and lets it in only then, so that none is lost in between.
void await_interrupt(void);
