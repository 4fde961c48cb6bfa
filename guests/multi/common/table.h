// Page tables: which frame of storage stands behind an address, and who may do what there.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PAGE = 4096 };

enum {                          // bits of an entry
  ENTRY_VALID = 1, ENTRY_READ = 2, ENTRY_WRITE = 4, ENTRY_EXECUTE = 8, ENTRY_USER = 16,
  ENTRY_ACCESSED = 64, ENTRY_DIRTY = 128, ENTRY_FLAGS = 0x3ff,
};

#define USER_START 0x40000000   // what programs have: from here
#define USER_END   0x80000000   // up to here; their stack ends here

// A table for the kernel alone: devices and all of storage, up to `end`, at their own addresses.
void table_make_kernel(uint32_t end);

uint32_t *table_make(void);             // one with the kernel in it; 0 if there is no storage
void table_free(uint32_t *table);       // all its user pages must be gone
void table_enter(const uint32_t *table);        // it translates from now on; 0: the kernel's own

// The entry for an address; 0 if there is none, or no storage to make one.
uint32_t *table_entry(uint32_t *table, uint32_t address, bool make);

// The first user page at or behind *page whose entry is not 0: sets *page, and returns the entry.
uint32_t *table_next(uint32_t *table, uint32_t *page);

static inline void *entry_frame(uint32_t entry) { return (void *)(entry >> 10 << 12); }
static inline uint32_t make_entry(const void *frame, uint32_t flags)
{
  return (uint32_t)frame >> 12 << 10 | flags | ENTRY_VALID;
}
