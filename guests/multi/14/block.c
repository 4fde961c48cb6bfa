// Blocks of the disk: the ones used last have copies in storage.

#include "block.h"
#include "disk_wait.h"
#include "journal.h"
#include "lib.h"

enum { BUFFERS = 80 };          // more than a change may have, and forty

static struct buffer buffers[BUFFERS];
static uint32_t uses;

static struct buffer *
find(uint32_t block)
{
  struct buffer *oldest = 0;

  for (struct buffer *b = buffers; b < buffers + BUFFERS; b++) {
    if (b->valid && b->block == block)
      return b;
    if (!b->changed && (oldest == 0 || (int32_t)(b->used - oldest->used) < 0))
      oldest = b;
  }
  oldest->valid = false;
  oldest->block = block;
  return oldest;
}

struct buffer *
block_read(uint32_t block)
{
  struct buffer *b = find(block);

  b->used = ++uses;
  if (!b->valid)
    disk_wait(DISK_READ, block * SECTORS_OF_BLOCK, b->data, SECTORS_OF_BLOCK);
  b->valid = true;
  return b;
}

struct buffer *
block_blank(uint32_t block)
{
  struct buffer *b = find(block);

  b->used = ++uses;
  b->valid = true;
  memset(b->data, 0, BLOCK);
  journal_add(b);
  return b;
}

void
block_write(uint32_t block, const void *data)
{
  disk_wait(DISK_WRITE, block * SECTORS_OF_BLOCK, (void *)data, SECTORS_OF_BLOCK);
}
