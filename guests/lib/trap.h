// What trap.S saves when a trap is taken, in this order, from the lowest address on.
#pragma once

#define TRAP_FRAME_SIZE 144     // bytes, a multiple of 16 as the stack wants it

#ifndef __ASSEMBLER__
#include <stdint.h>

struct trap_frame {
  uint32_t x[32];               // x[n] is register xn; x[2] is the interrupted sp; x[0] is unused
  uint32_t pc;                  // mepc: where to go on; a service call adds 4
  uint32_t status;              // mstatus: MPP and MPIE say how to go on; MIE must be 0
  uint32_t cause;               // mcause
  uint32_t value;               // mtval
};

// The program defines this; trap_entry calls it with interrupts off and goes back to frame->pc.
// The library has one that reports the trap and switches the machine off.
void trap(struct trap_frame *frame);

// Goes on with what a frame says, and never comes back. A frame for a lower mode must be on a stack
// of its own: where it ends, the next trap finds its stack.
void trap_return(struct trap_frame *frame) __attribute__((noreturn));

extern char trap_entry[];
#endif
