// What a spool is made of, for its two halves: spool.c and store.c.
#pragma once

#include "monitor.h"

enum { BLOCK_SECTORS = 4, BLOCK_SIZE = BLOCK_SECTORS * SECTOR_SIZE };

struct block {
  uint16_t used, taken;                 // bytes put into `data`, and got out of it
  char data[BLOCK_SIZE - 4];
};

struct spool {
  struct block *filling, *going, *coming, *draining;
  uint32_t first, ring;                 // its part of the disk: first sector, number of blocks
  uint32_t stored, fetched;             // blocks written to it and read from it, since ever
  bool writing, reading, arrived;       // arrived: `coming` has entries
  struct disk_request write, read;
};

// store.c: the disk's part
void fetch(struct spool *spool);        // reads the oldest block on the disk in advance
bool store(struct spool *spool);        // gives the full block to the disk; false: not now

static inline void
exchange(struct block **one, struct block **other)
{
  struct block *block = *one;
  *one = *other;
  *other = block;
}
