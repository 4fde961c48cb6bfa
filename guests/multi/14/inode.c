// Inodes: what a file consists of. Those in use have a place in storage.

#include "inode.h"
#include "journal.h"
#include "lib.h"
#include "process.h"

// Enough for what can be in use at once: all open files, a directory of each process, two programs
// of one that changes from one to the other, and three on the way along a path.
enum { INODES = OPEN_FILES + 3 * PROCESSES + 3, INODES_OF_BLOCK = BLOCK / INODE_SIZE };

static struct inode inodes[INODES];

static struct buffer *
buffer_of(uint32_t number)
{
  return block_read(super.inode_start + number / INODES_OF_BLOCK);
}

static struct disk_inode *
place_of(struct buffer *b, uint32_t number)
{
  return (struct disk_inode *)b->data + number % INODES_OF_BLOCK;
}

struct inode *
inode_get(uint32_t number)
{
  struct inode *free = 0;

  for (struct inode *i = inodes; i < inodes + INODES; i++) {
    if (i->references > 0 && i->number == number)
      return inode_again(i);
    if (i->references == 0)
      free = i;
  }
  if (free == 0)
    panic("too many files are in use");
  *free = (struct inode){.number = number, .references = 1};
  free->disk = *place_of(buffer_of(number), number);
  return free;
}

struct inode *
inode_again(struct inode *i)
{
  i->references++;
  return i;
}

void
inode_update(struct inode *i)
{
  struct buffer *b = buffer_of(i->number);

  *place_of(b, i->number) = i->disk;
  journal_add(b);
}

void
inode_put(struct inode *i)
{
  if (i->references == 1 && i->disk.links == 0) {
    inode_truncate(i);
    i->disk.type = NOTHING;
    inode_update(i);
  }
  i->references--;
}

struct inode *
inode_make(enum inode_type type)
{
  for (uint32_t number = ROOT; number < super.inodes; number++)
    if (place_of(buffer_of(number), number)->type == NOTHING) {
      struct inode *i = inode_get(number);
      i->disk = (struct disk_inode){.type = type};
      inode_update(i);
      return i;
    }
  return 0;
}

void
inodes_reclaim(void)
{
  for (uint32_t number = ROOT; number < super.inodes; number++) {
    const struct disk_inode *disk = place_of(buffer_of(number), number);
    if (disk->type == NOTHING || disk->links > 0)
      continue;
    fs_begin();
    inode_put(inode_get(number));
    fs_end();
  }
}
