// A spool: a queue between a fast and a slow partner, most of it on the disk.
//
//      put -> filling -> going -> disk -> coming -> draining -> get
//
// Entries travel in blocks. Each spool has four in storage: one is filled, one is on its way to the
// disk, one has been read in advance, one is emptied. Its part of the disk is a ring of blocks. If
// nothing is on the way, `get` takes what is being filled: then the disk has no part in it.
//
// Both partners may be interrupt handlers, so everything here is called with interrupts off.

#include "spool.h"

struct spool input, output;

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
