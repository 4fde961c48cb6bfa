// Changes of the file system: each happens as a whole, whenever the power fails.
#pragma once

#include "block.h"

extern struct superblock super;

void journal_recover(void);             // finds the file system, and ends what was interrupted

// One process at a time is in the file system, from fs_begin to fs_end. What it changes in between
// is one change. When fs_end returns, that is on the disk for good.
void fs_begin(void);
void fs_end(void);

void journal_add(struct buffer *b);     // this block's contents change, too
