// Blocks of the disk, as far as storage keeps copies. For who is in the file system: see journal.h.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fs.h"

struct buffer {
  uint32_t block;
  bool valid;                   // it holds that block
  bool changed;                 // by the change that is under way: it must stay
  uint32_t used;                // the order of last uses
  uint8_t data[BLOCK];
};

// The block's buffer. It may be another block's again after the next forty calls or so.
struct buffer *block_read(uint32_t block);
struct buffer *block_blank(uint32_t block);             // with zeros, as part of the change
void block_write(uint32_t block, const void *data);     // on the disk, now
