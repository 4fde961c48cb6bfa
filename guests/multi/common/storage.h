// The storage of a process, which partition.c or space.c gives it. Programs are not to be trusted:
// at an address that the current process has no right to, a copy ends and returns false.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct process;

void storage_enter(const struct process *p);    // what runs in U-mode now sees this and no other
bool copy_in(void *to, uint32_t from, uint32_t size);
bool copy_text_in(char *to, uint32_t from, uint32_t size);      // up to its 0; false: too long
bool copy_out(uint32_t to, const void *from, uint32_t size);
bool storage_lock(uint32_t address, uint32_t size);     // stage 13: these pages stay in storage

// From stage 12 on: where the kernel finds what the current process has at an address, up to the
// end of the page; 0 if the process may not do with it what it `needs`: ENTRY_READ or ENTRY_WRITE.
char *storage_find(uint32_t address, uint32_t needs);
