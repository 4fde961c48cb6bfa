// What a process keeps of the processor while the kernel serves another one.
#pragma once

#include <stdint.h>

// The registers that a C function must leave as they were. All others are already saved when
// switch_context is called: the compiler takes care of that.
struct context {
  uint32_t ra, sp, s[12];
};

// Saves where the caller is, and goes on where `load` was saved. Comes back when somebody switches
// to `save`. Interrupts must be off: between the two contexts the stack belongs to nobody.
void switch_context(struct context *save, const struct context *load);
