// What programs share that attack the kernel.
#pragma once

#include "user.h"

// Makes an attempt in a child: its exit code, or -1 if the kernel had to stop it.
static inline int
outcome(void attempt(void))
{
  int code;

  if (fork() == 0) {
    attempt();
    leave(0);
  }
  return wait(&code) < 0 ? -1 : code;
}

// The last line of an attacker: what it has won, counted.
static inline int
verdict(const char *name, int won)
{
  printf("%s: %s %d times\n", name, won > 0 ? "WON" : "won", won);
  return won > 0;
}

// Waits without end, with all that it has taken.
static inline void __attribute__((noreturn))
keep_all(void)
{
  for (;;)
    sleep(1000000);
}
