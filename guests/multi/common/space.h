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

// Makes a space for a program, with `last` as the last page of its stack. Takes image and page over,
// unless it returns false: there is not enough storage, or the image is no program.
bool space_make(struct space *s, struct image *image, void *last, uint32_t *entry);

bool space_copy(struct space *to, struct space *from);  // false if there is not enough storage
void space_free(struct space *s);
int space_grow(struct space *s, uint32_t size);         // by so much; where that begins, or -1
uint32_t space_pages(const struct space *s);            // that have frames
