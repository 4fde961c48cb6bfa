// Address spaces: the segments of a program, a heap behind them, a stack at the end. A page gets
// its frame when it is first used, and again when it has been taken away in between.

#include "space.h"
#include "lib.h"
#include "machine.h"
#include "paging.h"
#include "process.h"
#include "shortage.h"
#include "storage.h"
#include "table.h"

// Gives a page that is not in storage its frame and its contents.
static bool
fill(struct space *s, uint32_t page, uint32_t *entry)
{
  struct resident *r = page_take(s);

  if (r == 0)
    return false;
  if (has_left(*entry))
    page_fetch(r, *entry);
  else if (!space_read_page(s, page, r->frame)) {
    page_give(r);
    return false;
  }
  page_put(r, entry, space_rights(s, page));
  return true;
}

// The entry for a page. Page tables take storage, too.
static uint32_t *
entry_for(uint32_t *table, uint32_t page)
{
  uint32_t *entry;

  do
    entry = table_entry(table, page, true);
  while (entry == 0 && shortage_ends_somebody());
  return entry;
}

// Makes the page of an address ready for a use, which `needs` says: the entry, or 0 if the program
// has no right to that. A machine may leave it to us to note in the entry that a page was used.
static uint32_t *
get_ready(struct space *s, uint32_t address, uint32_t needs)
{
  uint32_t page = address & -PAGE, *entry = 0;

  if ((space_rights(s, page) & needs) == 0)
    return 0;
  hold();
  entry = entry_for(s->table, page);
  if (entry != 0 && (*entry & ENTRY_VALID) == 0) {
    current->faults++;
    if (!fill(s, page, entry))
      entry = 0;
  }
  let_go();
  if (entry != 0)
    *entry |= ENTRY_ACCESSED | (needs == ENTRY_WRITE ? ENTRY_DIRTY : 0);
  return entry;
}

bool
space_fault(struct space *s, uint32_t address, uint32_t needs)
{
  bool good = get_ready(s, address, needs) != 0;
  sfence_vma();
  fence_i();
  return good;
}

bool
space_make(struct space *s, struct image *image, const void *last, uint32_t *entry)
{
  *s = (struct space){.image = image, .table = table_make()};
  if (s->table == 0)
    return false;
  uint32_t *at = entry_for(s->table, USER_END - PAGE);
  bool good = at != 0 && space_read_headers(s, entry);
  struct resident *r = good ? page_take(s) : 0;
  if (r == 0) {
    s->image = 0;               // still the caller's
    space_free(s);
    return false;
  }
  memcpy(r->frame, last, PAGE);
  page_put(r, at, space_rights(s, USER_END - PAGE) | ENTRY_DIRTY);
  return true;
}

// What a page has goes into a frame of the copy's. The page may leave while we wait for that frame.
static bool
copy_page(struct space *to, uint32_t page, const uint32_t *from)
{
  uint32_t *entry = entry_for(to->table, page);
  struct resident *r = entry != 0 ? page_take(to) : 0;

  if (r == 0)
    return false;
  if (*from & ENTRY_VALID)
    memcpy(r->frame, entry_frame(*from), PAGE);
  else if (has_left(*from)) {
    page_fetch(r, *from);
    r->slot = 0;                // which is not the copy's
  } else {                      // unchanged it left, and will come from the program file
    page_give(r);
    return true;
  }
  page_put(r, entry, space_rights(to, page) | ENTRY_DIRTY);
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
  for (uint32_t page = 0, *entry; (entry = table_next(from->table, &page)) != 0; page += PAGE)
    if (!copy_page(to, page, entry)) {
      space_free(to);
      return false;
    }
  return true;
}

void
space_free(struct space *s)
{
  for (uint32_t page = 0, *entry; (entry = table_next(s->table, &page)) != 0; page += PAGE)
    page_drop(entry);
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
  return old;
}

uint32_t
space_pages(const struct space *s)
{
  uint32_t count = 0;

  for (struct resident *r = residents; r < residents_end; r++)
    count += s->table != 0 && r->table == s->table;
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
storage_find(uint32_t address, uint32_t needs)
{
  uint32_t *entry = get_ready(&current->space, address, needs);
  return entry != 0 ? (char *)entry_frame(*entry) + address % PAGE : 0;
}

bool
storage_lock(uint32_t address, uint32_t size)
{
  if (address > USER_END || size > USER_END - address)
    return false;
  for (uint32_t page = address & -PAGE; page < address + size; page += PAGE) {
    uint32_t *entry = get_ready(&current->space, page, ENTRY_READ);
    if (entry == 0 || !page_lock(entry))
      return false;
  }
  return true;
}
