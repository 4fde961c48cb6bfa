// What files hold: the first blocks are named in the inode, the others in a block that it names.

#include "inode.h"
#include "journal.h"
#include "lib.h"
#include "map.h"

// The block that *place names; if it names none and one is wanted, a new one. 0 if the disk is
// full.
static uint32_t
block_at(uint32_t *place, bool make)
{
  if (*place == 0 && make)
    *place = map_take();
  return *place;
}

// The n-th block of a file.
static uint32_t
block_of(struct inode *i, uint32_t n, bool make)
{
  uint32_t *place = n < DIRECT ? &i->disk.direct[n] : &i->disk.indirect;
  uint32_t before = *place, block = n < FILE_BLOCKS ? block_at(place, make) : 0;

  if (before != *place)
    inode_update(i);
  if (n < DIRECT || block == 0)
    return block;
  struct buffer *b = block_read(block);
  place = (uint32_t *)b->data + n - DIRECT;
  before = *place;
  block = block_at(place, make);
  if (before != block)
    journal_add(b);
  return block;
}

static uint32_t
to_block_end(uint32_t offset, uint32_t size)
{
  uint32_t rest = BLOCK - offset % BLOCK;
  return rest < size ? rest : size;
}

uint32_t
inode_read(struct inode *i, uint32_t offset, void *to, uint32_t size)
{
  uint32_t done = 0;

  if (offset >= i->disk.size)
    return 0;
  if (size > i->disk.size - offset)
    size = i->disk.size - offset;
  for (uint32_t piece; done < size; done += piece, offset += piece) {
    uint32_t block = block_of(i, offset / BLOCK, false);
    piece = to_block_end(offset, size - done);
    if (block != 0)
      memcpy(to + done, block_read(block)->data + offset % BLOCK, piece);
    else
      memset(to + done, 0, piece);      // a hole: never written, behind it something was
  }
  return done;
}

uint32_t
inode_write(struct inode *i, uint32_t offset, const void *from, uint32_t size)
{
  uint32_t done = 0;

  for (uint32_t piece; done < size; done += piece, offset += piece) {
    uint32_t block = block_of(i, offset / BLOCK, true);
    if (block == 0)
      break;
    struct buffer *b = block_read(block);
    piece = to_block_end(offset, size - done);
    memcpy(b->data + offset % BLOCK, from + done, piece);
    journal_add(b);
  }
  if (done > 0 && offset > i->disk.size) {
    i->disk.size = offset;
    inode_update(i);
  }
  return done;
}

void
inode_truncate(struct inode *i)
{
  for (int n = 0; n < DIRECT; n++)
    map_give(i->disk.direct[n]);
  if (i->disk.indirect != 0) {
    const uint32_t *pointers = (uint32_t *)block_read(i->disk.indirect)->data;
    for (int n = 0; n < POINTERS; n++)
      map_give(pointers[n]);
    map_give(i->disk.indirect);
  }
  i->disk = (struct disk_inode){.type = i->disk.type, .links = i->disk.links};
  inode_update(i);
}
