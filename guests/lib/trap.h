// What trap.S saves when a trap is taken, in this order, from the lowest address on.
#pragma once

#define TRAP_FRAME_SIZE 144     // bytes, a multiple of 16 as the stack wants it

#ifndef __ASSEMBLER__
#include <stdint.h>

struct trap_frame {
  uint32_t x[32];               // x[n] is register xn; x[2] is the interrupted sp; x[0] is unused
  uint32_t pc;                  // mepc: where to go on; a service call adds 4
  uint32_t status;              // mstatus
  uint32_t cause;               // mcause
  uint32_t value;               // mtval
};

// The program defines this; trap_entry calls it with interrupts off and goes back to frame->pc.
// The library has one that reports the trap and switches the machine off.
void trap(struct trap_frame *frame);

extern char trap_entry[];
#endif
