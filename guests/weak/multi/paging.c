// Paging. Storage holds the pages that are resident; each of them has a place in a table. A page
// that has to leave is written to the disk, unless the same is there already.

#include "paging.h"
#include "frames.h"
#include "lib.h"
#include "lock.h"
#include "machine.h"
#include "process.h"
#include "replace.h"
#include "shortage.h"
#include "slot.h"
#include "table.h"

enum {
  RESERVE = 16,                 // frames that only the kernel gets
  LOCKABLE = 16,                // pages that a program may lock
};

struct resident residents[RESIDENTS], *residents_end = residents;
uint32_t frames_limit = RESIDENTS;

static struct lock paging;              // one page at a time leaves or comes back
static uint32_t arrivals;

// Takes a page away from its program. Its place and its frame remain. False if the disk is full.
static bool
send_away(struct resident *r)
{
  bool changed = *r->entry & ENTRY_DIRTY;

  if (changed && r->slot == 0 && (r->slot = slot_take()) == 0)
    return false;
  *r->entry = r->slot << 10;
  r->entry = 0;
  sfence_vma();
  if (changed)
    slot_write(r->slot, r->frame);
  return true;
}

static struct resident *
find_frame(const void *frame)
{
  struct resident *r = residents;

  while (r < residents_end && r->frame != frame)
    r++;
  return r < residents_end ? r : 0;
}

static uint32_t
count(const uint32_t *table, bool locked)
{
  uint32_t pages = 0;

  for (struct resident *r = residents; r < residents_end; r++)
    pages += r->table == table && r->locked == locked;
  return pages;
}

// A place with a frame that another page had to leave.
static struct resident *
take_from(const uint32_t *table)
{
  struct resident *r = replacement_victim(table);

  return r != 0 && send_away(r) ? r : 0;
}

static struct resident *
take_free(void)
{
  struct resident *r = find_frame(0);

  if (frames_free() <= RESERVE || (r == 0 && residents_end == residents + RESIDENTS))
    return 0;
  if (r == 0)
    r = residents_end++;
  r->frame = frame_take();
  return r;
}

static void
release(struct resident *r)
{
  frame_give(r->frame);
  *r = (struct resident){0};
}

static struct resident *
find_place(const struct space *s)
{
  struct resident *r = 0;

  while (frames_free() < RESERVE / 2 && (r = take_from(0)) != 0)
    release(r);                 // page tables have taken from the reserve
  r = count(s->table, false) >= frames_limit ? take_from(s->table) : 0;
  if (r == 0)
    r = take_free();
  return r != 0 ? r : take_from(0);
}

struct resident *
page_take(const struct space *s)
{
  struct resident *r;

  do {
    lock_take(&paging);
    r = find_place(s);
    if (r != 0)
      *r = (struct resident){
        .frame = r->frame, .table = s->table, .loaded = arrivals++, .history = UINT32_MAX};
    lock_give(&paging);
  } while (r == 0 && shortage_ends_somebody());
  return r;
}

void
page_give(struct resident *r)
{
  if (r->slot != 0)
    slot_give(r->slot);
  release(r);
}

void
page_put(struct resident *r, uint32_t *entry, uint32_t flags)
{
  *entry = make_entry(r->frame, flags);
  r->entry = entry;
}

void
page_fetch(struct resident *r, uint32_t entry)
{
  lock_take(&paging);           // somebody may just be writing it
  r->slot = entry >> 10;
  slot_read(r->slot, r->frame);
  lock_give(&paging);
}

void
page_drop(uint32_t *entry)
{
  if (*entry & ENTRY_VALID)
    page_give(find_frame(entry_frame(*entry)));
  else if (has_left(*entry))
    slot_give(*entry >> 10);
  *entry = 0;
}

bool
page_lock(const uint32_t *entry)
{
  struct resident *r = find_frame(entry_frame(*entry));

  if (!r->locked && count(r->table, true) >= LOCKABLE)
    return false;
  r->locked = true;
  return true;
}

static void
note_use(struct resident *r)
{
  bool used = *r->entry & ENTRY_ACCESSED;

  *r->entry &= ~ENTRY_ACCESSED;
  if (r->history == UINT32_MAX)
    r->history = 0;             // it was new
  r->history = (r->history >> 1 | (uint32_t)used << 31) & ~1;   // and never all ones again
  r->used |= used;
}

void
paging_look(void)
{
  const uint32_t *table = current->space.table;

  for (struct resident *r = residents; r < residents_end; r++)
    if (r->table == table && r->entry != 0)
      note_use(r);
  sfence_vma();
  if (!abandons_pages())
    return;
  lock_take(&paging);
  for (struct resident *r = residents; r < residents_end; r++)
    if (r->table == table && is_abandoned(r) && send_away(r))
      release(r);
  lock_give(&paging);
}
