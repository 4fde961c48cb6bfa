// The disk's part of the spools: a ring of blocks for each, written and read by interrupt.

#include "spool.h"

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
start(struct spool *spool, struct disk_request *request, int type, uint32_t at, struct block *block)
{
  *request = (struct disk_request){
    .type = type, .sector = spool->first + at % spool->ring * BLOCK_SECTORS,
    .buffer = block, .size = BLOCK_SIZE};
  disk_start(request);                  // never more than four at once: there is room
}

void
fetch(struct spool *spool)
{
  if (spool->reading || spool->arrived || spool->fetched == spool->stored)
    return;
  spool->reading = true;
  start(spool, &spool->read, DISK_READ, spool->fetched, spool->coming);
}

bool
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
