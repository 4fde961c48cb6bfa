// The journal. A change is first written there, as a whole; from the moment when that is complete
// it has happened, and the blocks can be written to where they belong. After a power cut in
// between, that is done again from the journal. A checksum says whether what the journal holds is
// complete.

#include "journal.h"
#include "disk_wait.h"
#include "lib.h"
#include "lock.h"

struct superblock super;

static struct lock lock;                // for the whole file system
static struct buffer *changed[JOURNAL_MOST];
static uint32_t count;
static uint8_t block[BLOCK];            // while nobody else can be in here

static uint32_t
add_to_checksum(uint32_t sum, const void *data, uint32_t size)
{
  for (const uint32_t *p = data; size > 0; p++, size -= 4)
    sum = (sum ^ *p) * 16777619;        // FNV-1a, by words
  return sum;
}

static uint32_t
start_checksum(const struct journal_header *header)
{
  return add_to_checksum(2166136261, &header->count, sizeof *header - sizeof header->checksum);
}

static void
flush_disk(void)
{
  disk_wait(DISK_FLUSH, 0, 0, 0);
}

void
fs_begin(void)
{
  lock_take(&lock);
}

void
journal_add(struct buffer *b)
{
  if (b->changed)
    return;
  if (count == JOURNAL_MOST)
    panic("a change of the file system is too large");
  b->changed = true;
  changed[count++] = b;
}

// Until the first flush, the change has not happened; from then on, it has.
static void
commit(void)
{
  struct journal_header *header = memset(block, 0, BLOCK);
  header->count = count;
  for (uint32_t n = 0; n < count; n++) {
    header->blocks[n] = changed[n]->block;
    block_write(super.journal + 1 + n, changed[n]->data);
  }
  header->checksum = start_checksum(header);
  for (uint32_t n = 0; n < count; n++)
    header->checksum = add_to_checksum(header->checksum, changed[n]->data, BLOCK);
  block_write(super.journal, header);
  flush_disk();

  for (uint32_t n = 0; n < count; n++) {
    block_write(changed[n]->block, changed[n]->data);
    changed[n]->changed = false;
  }
  count = 0;
  flush_disk();                 // the next change overwrites the journal
}

void
fs_end(void)
{
  if (lock.depth == 1 && count > 0)
    commit();
  lock_give(&lock);
}

// Is what the journal holds complete?
static bool
is_complete(const struct journal_header *header)
{
  if (header->count == 0 || header->count > JOURNAL_MOST)
    return false;
  uint32_t sum = start_checksum(header);
  for (uint32_t n = 0; n < header->count; n++)
    sum = add_to_checksum(sum, block_read(super.journal + 1 + n)->data, BLOCK);
  return sum == header->checksum;
}

// The last change is in the journal also if all went well; then this changes nothing.
void
journal_recover(void)
{
  memcpy(&super, block_read(0)->data, sizeof super);
  if (super.magic != FS_MAGIC)
    panic("the disk has no file system");
  struct journal_header *header = memcpy(block, block_read(super.journal)->data, BLOCK);
  if (!is_complete(header))
    return;
  for (uint32_t n = 0; n < header->count; n++) {
    struct buffer *target = block_blank(header->blocks[n]);
    memcpy(target->data, block_read(super.journal + 1 + n)->data, BLOCK);
    block_write(target->block, target->data);
    target->changed = false;
  }
  count = 0;
  flush_disk();
}
