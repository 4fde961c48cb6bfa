// A spool: a queue between a fast and a slow partner, most of it on the disk.
//
//      put -> filling -> going -> disk -> coming -> draining -> get
//
// Entries travel in blocks. Each spool has four in storage: one is filled, one is on its way to the
// disk, one has been read in advance, one is emptied. Its part of the disk is a ring of blocks. If
// nothing is on the way, `get` takes what is being filled: then the disk has no part in it.
//
// Both partners may be interrupt handlers, so everything here is called with interrupts off.

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

struct spool input, output;

static int disk;                        // its interrupt's source; 0: there is none

static void
open_spool(struct spool *spool, struct block blocks[4], uint32_t first, uint32_t sectors)
{
  spool->filling = &blocks[0];
  spool->going = &blocks[1];
  spool->coming = &blocks[2];
  spool->draining = &blocks[3];
  spool->filling->used = spool->filling->taken = 0;
  spool->draining->used = spool->draining->taken = 0;
  spool->first = first;
  spool->ring = sectors / BLOCK_SECTORS;
}

// Half of the disk for each. Without a disk, the blocks in storage are all there is.
void
open_spools(void)
{
  struct block *blocks = (struct block *)JOB_END;       // there is room behind the job's storage
  disk = disk_open();
  uint32_t half = disk == 0 ? 0 : disk_sectors() / 2;
  open_spool(&input, blocks, 0, half);
  open_spool(&output, blocks + 4, half, half);
  if (disk != 0)
    plic_enable(PLIC_MACHINE, disk);
}

static void
exchange(struct block **one, struct block **other)
{
  struct block *block = *one;
  *one = *other;
  *other = block;
}

static void
start(struct spool *spool, struct disk_request *request, int type, uint32_t at, struct block *block)
{
  *request = (struct disk_request){
    .type = type, .sector = spool->first + at % spool->ring * BLOCK_SECTORS,
    .buffer = block, .size = BLOCK_SIZE};
  disk_start(request);                  // never more than four at once: there is room
}

// Reads the oldest block on the disk in advance.
static void
fetch(struct spool *spool)
{
  if (spool->reading || spool->arrived || spool->fetched == spool->stored)
    return;
  spool->reading = true;
  start(spool, &spool->read, DISK_READ, spool->fetched, spool->coming);
}

// Gives the block that is full to the disk; false if that is not possible now.
static bool
store(struct spool *spool)
{
  if (spool->writing || spool->stored - spool->fetched == spool->ring)
    return false;
  exchange(&spool->filling, &spool->going);
  spool->filling->used = spool->filling->taken = 0;
  spool->writing = true;
  start(spool, &spool->write, DISK_WRITE, spool->stored, spool->going);
  return true;
}

static bool
is_drained(const struct block *block)
{
  return block->taken == block->used;
}

// What an entry takes in a block: whole words, which are copied faster.
static size_t
size_of(const struct entry *entry)
{
  return offsetof(struct entry, text) + ((entry->length + 3) & ~3);
}

bool
spool_put(struct spool *spool, const struct entry *entry)
{
  size_t size = size_of(entry);

  if (spool->filling->used + size > sizeof spool->filling->data && !store(spool))
    return false;
  memcpy(spool->filling->data + spool->filling->used, entry, size);
  spool->filling->used += size;
  return true;
}

// Gets the next block to be drained; false if none is there.
static bool
next_block(struct spool *spool)
{
  if (spool->arrived) {
    exchange(&spool->draining, &spool->coming);
    spool->arrived = false;
    fetch(spool);
    return true;
  }
  if (spool->writing || spool->fetched != spool->stored || spool->filling->used == 0)
    return false;
  exchange(&spool->draining, &spool->filling);
  spool->filling->used = spool->filling->taken = 0;
  return true;
}

bool
spool_get(struct spool *spool, struct entry *entry)
{
  if (is_drained(spool->draining) && !next_block(spool))
    return false;
  struct block *block = spool->draining;
  size_t size = size_of((struct entry *)(block->data + block->taken));
  memcpy(entry, block->data + block->taken, size);
  block->taken += size;
  return true;
}

bool
spool_is_empty(const struct spool *spool)
{
  return is_drained(spool->draining) && spool->filling->used == 0 && !spool->arrived
    && !spool->writing && spool->fetched == spool->stored;
}

static void
look_for_ends(struct spool *spool)
{
  if (spool->writing && spool->write.done) {
    spool->writing = false;
    spool->stored++;
  }
  if (spool->reading && spool->read.done) {
    spool->reading = false;
    spool->arrived = true;
    spool->fetched++;
  }
  fetch(spool);
}

bool
spool_interrupt(int source)
{
  struct disk_request *request;

  if (source != disk)
    return false;
  while ((request = disk_finished()) != 0)
    if (request->result != 0)
      panic("the disk reports an error in sector %u", (uint32_t)request->sector);
  look_for_ends(&input);
  look_for_ends(&output);
  return true;
}
