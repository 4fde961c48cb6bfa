// The terminal: a screen and a keyboard, at the serial port.
#pragma once

#include <stdint.h>

struct process;

void terminal_begin(void);
void terminal_for(const struct process *p);     // a shell: Ctrl-X ends all programs but this one
void terminal_interrupt(void);
int terminal_read(uint32_t to, uint32_t size);          // up to a line; 0: end of input was typed
int terminal_write(uint32_t from, uint32_t size);
