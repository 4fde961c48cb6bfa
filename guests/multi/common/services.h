// The kernel's services, as a program calls them: number in a7, arguments from a0 on, result in a0.
#pragma once

#include "trap.h"

void serve(struct trap_frame *frame);
