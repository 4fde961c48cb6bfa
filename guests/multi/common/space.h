// Address spaces: what a program sees as its storage.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "elf.h"
#include "image.h"

struct space {
  uint32_t *table;              // 0 if there is no space
  struct image *image;          // where the program is from
  struct segment segments[SEGMENTS];    // and how it is put together
  int count;                    // of the segments
  uint32_t heap_start, heap_end;
};

enum { STACK_SIZE = 0x4000 };

// Makes a space for a program, with a copy of `last` as the last page of its stack. Takes the image
// over, unless it returns false: there is not enough storage, or the image is no program.
bool space_make(struct space *s, struct image *image, const void *last, uint32_t *entry);

bool space_copy(struct space *to, struct space *from);  // false if there is not enough storage
void space_free(struct space *s);
int space_grow(struct space *s, uint32_t size);         // by so much; where that begins, or -1
uint32_t space_pages(const struct space *s);            // that have frames

// From stage 13 on: the program uses an address, and the processor asks whether it may. `needs` is
// ENTRY_READ, ENTRY_WRITE or ENTRY_EXECUTE. False if it has no such right, or there is no storage.
bool space_fault(struct space *s, uint32_t address, uint32_t needs);

// segments.c: what the program file says. Rights are flags of entries, 0 for what is not the
// program's; a page that is read keeps what the file says nothing of; headers are not believed, but
// checked.
uint32_t space_rights(const struct space *s, uint32_t page);
bool space_read_page(struct space *s, uint32_t page, char *frame);
bool space_read_headers(struct space *s, uint32_t *entry);
