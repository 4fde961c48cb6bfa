// The disk, for processes: the current one waits, others run.
#pragma once

#include <stdint.h>

#include "lib.h"

void disk_begin(void);          // finds the disk, and lets it interrupt
void disk_interrupt(void);

// The count is in sectors.
void disk_wait(enum disk_command type, uint32_t sector, void *buffer, uint32_t count);
