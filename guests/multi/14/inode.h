// Files and directories by number. For who is in the file system: see journal.h.
#pragma once

#include <stdbool.h>

#include "fs.h"

struct inode {
  uint32_t number;
  int references;               // 0: this place is free
  int images;                   // programs that are being run from it
  struct disk_inode disk;
};

struct inode *inode_get(uint32_t number);       // one reference more
struct inode *inode_again(struct inode *i);     // so, too
void inode_put(struct inode *i);        // one less; without links and references it is deleted
struct inode *inode_make(enum inode_type type); // a new one, without links; 0 if there is no room
void inode_update(struct inode *i);     // `disk` has changed
void inode_truncate(struct inode *i);
void inodes_reclaim(void);              // deletes those that only a power cut has kept

// Return how many bytes were read or written: less at the end of the file, or of the disk.
uint32_t inode_read(struct inode *i, uint32_t offset, void *to, uint32_t size);
uint32_t inode_write(struct inode *i, uint32_t offset, const void *from, uint32_t size);
