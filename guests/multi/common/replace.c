// Replacement policies. Each only says which of two pages is the better one to give up; the clock
// goes round.

#include "replace.h"
#include "lib.h"
#include "paging.h"
#include "table.h"

uint32_t window = 8;

struct replacement {
  const char *name;
  bool (*leaves_before)(const struct resident *a, const struct resident *b);
  bool abandons;                // takes pages away that were not used for a while
};

static bool
came_earlier(const struct resident *a, const struct resident *b)
{
  return (int32_t)(a->loaded - b->loaded) < 0;
}

// The history, with what has not been noted yet as its newest bit.
static uint64_t
recent_use(const struct resident *r)
{
  return (uint64_t)((*r->entry & ENTRY_ACCESSED) != 0) << 32 | r->history;
}

// Not exactly least recently used: nobody notes every single use.
static bool
unused_for_longer(const struct resident *a, const struct resident *b)
{
  uint64_t of_a = recent_use(a), of_b = recent_use(b);
  return of_a != of_b ? of_a < of_b : came_earlier(a, b);
}

static const struct replacement replacements[] = {
  {"fifo", came_earlier, false},
  {"clock", 0, false},
  {"lru", unused_for_longer, false},
  {"working-set", unused_for_longer, true},
  {0},
};

static const struct replacement *replacement = &replacements[1];

bool
choose_replacement(const char *name)
{
  for (const struct replacement *r = replacements; r->name != 0; r++)
    if (strcmp(r->name, name) == 0) {
      replacement = r;
      return true;
    }
  return false;
}

static bool
may_leave(const struct resident *r, const uint32_t *table)
{
  return r->entry != 0 && !r->locked && (table == 0 || r->table == table);
}

// The hand goes round; a page that was used since it last passed gets another chance.
static struct resident *
next_of_clock(const uint32_t *table)
{
  static struct resident *hand = residents;

  for (int n = 2 * (residents_end - residents); n > 0; n--) {
    struct resident *r = hand;
    hand = hand + 1 < residents_end ? hand + 1 : residents;
    if (!may_leave(r, table))
      continue;
    if (!r->used && (*r->entry & ENTRY_ACCESSED) == 0)
      return r;
    r->used = false;
    *r->entry &= ~ENTRY_ACCESSED;
  }
  return 0;
}

struct resident *
replacement_victim(const uint32_t *table)
{
  struct resident *victim = 0;

  if (replacement->leaves_before == 0)
    return next_of_clock(table);
  for (struct resident *r = residents; r < residents_end; r++)
    if (may_leave(r, table) && (victim == 0 || replacement->leaves_before(r, victim)))
      victim = r;
  return victim;
}

bool
abandons_pages(void)
{
  return replacement->abandons;
}

bool
is_abandoned(const struct resident *r)
{
  uint32_t recent = window < 32 ? r->history >> (32 - window) : r->history;
  return recent == 0 && may_leave(r, r->table);
}
