// Paging: pages of programs are in storage while they are used, and on the disk else.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "space.h"

enum { RESIDENTS = 512 };

// A page that is in storage.
struct resident {
  char *frame;                  // 0: this place is free
  const uint32_t *table;        // of whose space
  uint32_t *entry;              // in it; 0 while the page is on its way
  bool locked;                  // it must stay
  uint32_t slot;                // where the disk has it, too: the slot's number, or 0
  uint32_t loaded;              // the order in which pages came
  uint32_t history;             // a bit for each time somebody looked: was it used? newest highest.
                                // all ones as long as nobody has: no new page leaves at once
  bool used;                    // so it was, since the clock's hand passed
};

extern struct resident residents[RESIDENTS], *residents_end;    // the end of those ever in use
extern uint32_t frames_limit;   // pages of one process that may be in storage, locked ones aside

struct resident *page_take(const struct space *s);      // a frame with zeros; 0 if there is none
void page_give(struct resident *r);                     // no longer wanted
void page_put(struct resident *r, uint32_t *entry, uint32_t flags);     // it is what this one means
void page_fetch(struct resident *r, uint32_t entry);    // reads what has left storage
void page_drop(uint32_t *entry);        // gives back what it stands for, in storage and on the disk
bool page_lock(const uint32_t *entry);  // the page stays; false if that are too many

// The turn of the current process is over: notes which pages of its own it has used, and takes
// those away that are out of its working set.
void paging_look(void);

// An entry that is neither VALID nor 0 says in which slot of the disk the page is.
static inline bool has_left(uint32_t entry) { return entry != 0 && (entry & 1) == 0; }
