// What happens to a program that takes a trap without having said what to do then.

#include "lib.h"
#include "machine.h"
#include "trap.h"

void
trap(struct trap_frame *frame)
{
  panic("trap: mcause %x, mepc %x, mtval %x, sp %x",
        frame->cause, frame->pc, frame->value, frame->x[2]);
}
