// What a program file says about the program's storage: segments, and a heap behind them.

#include "space.h"
#include "table.h"

uint32_t
space_rights(const struct space *s, uint32_t page)
{
  for (const struct segment *g = s->segments; g < s->segments + s->count; g++)
    if (page + PAGE > g->start && page < g->start + g->size)
      return ENTRY_USER | ENTRY_READ | (g->flags & SEGMENT_WRITE ? ENTRY_WRITE : 0) |
             (g->flags & SEGMENT_EXECUTE ? ENTRY_EXECUTE : 0);
  bool is_heap = page >= s->heap_start && page < s->heap_end;
  bool is_stack = page >= USER_END - STACK_SIZE && page < USER_END;
  return is_heap || is_stack ? ENTRY_USER | ENTRY_READ | ENTRY_WRITE : 0;
}

bool
space_read_page(struct space *s, uint32_t page, char *frame)
{
  for (const struct segment *g = s->segments; g < s->segments + s->count; g++) {
    uint32_t from = page > g->start ? page : g->start, end = g->start + g->file_size;
    if (end > page + PAGE)
      end = page + PAGE;
    uint32_t offset = g->offset + (from - g->start);
    if (from < end && image_read(s->image, offset, frame + (from - page), end - from) < end - from)
      return false;
  }
  return true;
}

bool
space_read_headers(struct space *s, uint32_t *entry)
{
  char headers[ELF_HEADERS];

  uint32_t length = image_read(s->image, 0, headers, sizeof headers);
  s->count = elf_segments(headers, length, s->segments, entry);
  s->heap_start = USER_START;
  for (struct segment *g = s->segments; g < s->segments + s->count; g++) {
    if (g->start < USER_START || g->start > USER_END - STACK_SIZE ||
        g->size > USER_END - STACK_SIZE - g->start)
      return false;
    if (g->start + g->size > s->heap_start)
      s->heap_start = g->start + g->size;
  }
  s->heap_start = s->heap_end = (s->heap_start + PAGE - 1) & -PAGE;
  return s->count > 0;
}
