// Address spaces: the segments of a program, a heap behind them, a stack at the end.

#include "space.h"
#include "frames.h"
#include "lib.h"
#include "machine.h"
#include "process.h"
#include "storage.h"
#include "table.h"

static bool
map(struct space *s, uint32_t page, void *frame)
{
  uint32_t *entry = table_entry(s->table, page, true);

  if (entry == 0)
    return false;
  *entry = make_entry(frame, space_rights(s, page) | ENTRY_ACCESSED | ENTRY_DIRTY);
  return true;
}

// Gives a page its frame, and its contents.
static bool
fill(struct space *s, uint32_t page)
{
  void *frame = frame_take();

  if (frame == 0)
    return false;
  if (space_read_page(s, page, frame) && map(s, page, frame))
    return true;
  frame_give(frame);
  return false;
}

static bool
fill_all(struct space *s, uint32_t start, uint32_t end)
{
  for (uint32_t page = start & -PAGE; page < end; page += PAGE) {
    uint32_t *entry = table_entry(s->table, page, true);
    if (entry == 0 || ((*entry & ENTRY_VALID) == 0 && !fill(s, page)))
      return false;
  }
  return true;
}

bool
space_make(struct space *s, struct image *image, const void *last, uint32_t *entry)
{
  *s = (struct space){.image = image, .table = table_make()};
  if (s->table == 0)
    return false;
  bool good = space_read_headers(s, entry);
  for (struct segment *g = s->segments; good && g < s->segments + s->count; g++)
    good = fill_all(s, g->start, g->start + g->size);
  good = good && fill_all(s, USER_END - STACK_SIZE, USER_END);
  if (!good) {
    s->image = 0;               // still the caller's
    space_free(s);
    return false;
  }
  memcpy(entry_frame(*table_entry(s->table, USER_END - PAGE, false)), last, PAGE);
  return true;
}

bool
space_copy(struct space *to, struct space *from)
{
  *to = *from;
  to->table = table_make();
  if (to->table == 0)
    return false;
  to->image = image_again(from->image);
  for (uint32_t page = 0, *entry; (entry = table_next(from->table, &page)) != 0; page += PAGE) {
    void *frame = frame_take();
    if (frame == 0 || !map(to, page, frame)) {
      if (frame != 0)
        frame_give(frame);
      space_free(to);
      return false;
    }
    memcpy(frame, entry_frame(*entry), PAGE);
  }
  return true;
}

void
space_free(struct space *s)
{
  for (uint32_t page = 0, *entry; (entry = table_next(s->table, &page)) != 0; page += PAGE)
    frame_give(entry_frame(*entry));
  table_free(s->table);
  s->table = 0;
  if (s->image != 0)
    image_close(s->image);
}

int
space_grow(struct space *s, uint32_t size)
{
  uint32_t old = s->heap_end, room = USER_END - STACK_SIZE - old;

  if (size > room)
    return -1;
  s->heap_end = (old + size + PAGE - 1) & -PAGE;
  if (!fill_all(s, old, s->heap_end)) {
    s->heap_end = old;          // what was filled already waits there for the next time
    return -1;
  }
  return old;
}

uint32_t
space_pages(const struct space *s)
{
  uint32_t count = 0;

  for (uint32_t page = 0; s->table != 0 && table_next(s->table, &page) != 0; page += PAGE)
    count++;
  return count;
}

void
storage_enter(const struct process *p)
{
  table_enter(p->space.table);
  fence_i();                    // instructions, too, are others now
}

// Where the kernel finds what the current process has at an address, if that may do this with it.
char *
storage_find(uint32_t address, uint32_t right)
{
  uint32_t *entry = 0;

  if (address >= USER_START && address < USER_END)
    entry = table_entry(current->space.table, address, false);
  if (entry == 0 || (~*entry & (ENTRY_VALID | ENTRY_USER | right)) != 0)
    return 0;
  return (char *)entry_frame(*entry) + address % PAGE;
}
