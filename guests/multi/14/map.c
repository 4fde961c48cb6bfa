// The map of blocks: a bit for each.

#include "map.h"
#include "journal.h"

static bool
is_used(const struct buffer *map, uint32_t block)
{
  return map->data[block / 8] & 1 << block % 8;
}

uint32_t
map_take(void)
{
  struct buffer *map = block_read(super.map);

  for (uint32_t block = super.data; block < super.blocks; block++)
    if (!is_used(map, block)) {
      map->data[block / 8] |= 1 << block % 8;
      journal_add(map);
      block_blank(block);
      return block;
    }
  return 0;
}

void
map_give(uint32_t block)
{
  struct buffer *map = block_read(super.map);

  if (block == 0)
    return;
  map->data[block / 8] &= ~(1 << block % 8);
  journal_add(map);
}

uint32_t
map_count(void)
{
  const struct buffer *map = block_read(super.map);
  uint32_t count = 0;

  for (uint32_t block = super.data; block < super.blocks; block++)
    count += !is_used(map, block);
  return count;
}
