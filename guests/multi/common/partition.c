// Partitions, and the fence round the one that is running: two entries of the processor's physical
// memory protection. Privileged Architecture 3.7.

#include "partition.h"
#include "elf.h"
#include "lib.h"
#include "machine.h"
#include "process.h"
#include "storage.h"

uint32_t
partition_start(int partition)
{
  return PARTITION_BASE + partition * PARTITION_SIZE;
}

// Does this piece of storage lie in the partition? Written so that no sum can run over.
static bool
is_inside(int partition, uint32_t start, uint32_t size)
{
  uint32_t offset = start - partition_start(partition);
  return offset <= PARTITION_SIZE && size <= PARTITION_SIZE - offset;
}

static bool
is_taken(int partition)
{
  for (struct process *p = processes; p < processes + PROCESSES; p++)
    if (p->state != FREE && p->partition == partition)
      return true;
  return false;
}

int
partition_load(const void *file, uint32_t size, uint32_t *entry)
{
  struct segment segments[SEGMENTS];
  int count = elf_segments(file, size, segments, entry);

  if (count <= 0)
    return -1;
  uint32_t partition = (segments[0].start - PARTITION_BASE) / PARTITION_SIZE;
  if (partition >= PARTITIONS || is_taken(partition))
    return -1;
  for (struct segment *s = segments; s < segments + count; s++)
    if (!is_inside(partition, s->start, s->size) ||
        s->offset > size || s->file_size > size - s->offset)
      return -1;

  memset((void *)partition_start(partition), 0, PARTITION_SIZE);
  for (struct segment *s = segments; s < segments + count; s++)
    memcpy((void *)s->start, (const char *)file + s->offset, s->file_size);
  fence_i();                    // what was stored are instructions now
  return partition;
}

// Other entries stay as they are. One that covers a power of two is written as its address with
// half the size, less one.
void
storage_enter(const struct process *p)
{
  csr_write(pmpaddr0, partition_start(p->partition) >> 2 | ((PARTITION_SIZE >> 3) - 1));
  csr_write(pmpcfg0, (csr_read(pmpcfg0) & ~0xff) | PMP_NAPOT | PMP_R | PMP_W | PMP_X);
}

bool
copy_in(void *to, uint32_t from, uint32_t size)
{
  if (!is_inside(current->partition, from, size))
    return false;
  memcpy(to, (const void *)from, size);
  return true;
}

bool
copy_out(uint32_t to, const void *from, uint32_t size)
{
  if (!is_inside(current->partition, to, size))
    return false;
  memcpy((void *)to, from, size);
  return true;
}
