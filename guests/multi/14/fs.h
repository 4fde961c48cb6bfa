// The file system as it is on the disk. All numbers are little-endian.
#pragma once

#include <stdint.h>

#include "information.h"

//   block 0          the superblock
//   journal          a header, and behind it copies of the blocks that one change consists of
//   inodes           16 to a block; each is a file or a directory, known by its number
//   map              one block, a bit for each block of the file system: it is in use
//   data             what files and directories hold
//   swap             pages of programs; no part of the file system

enum {
  BLOCK = 1024,                 // bytes
  SECTORS_OF_BLOCK = 2,
  FS_MAGIC = 0x4b495431,
  ROOT = 1,                     // the inode of the directory /; there is no inode 0
  DIRECT = 13,
  POINTERS = BLOCK / 4,
  FILE_BLOCKS = DIRECT + POINTERS,      // at most
  INODE_SIZE = 64,
  JOURNAL_MOST = 30,            // blocks that one change may consist of
};

struct superblock {
  uint32_t magic;
  uint32_t blocks;              // of the file system
  uint32_t inodes;
  uint32_t journal, inode_start, map, data, swap;       // the first block of each
  uint32_t swap_blocks;
};

// A change is valid if the checksum is that of everything else in the header and of the copies.
struct journal_header {
  uint32_t checksum;
  uint32_t count;
  uint32_t blocks[JOURNAL_MOST];        // where the copies belong
};

enum inode_type { NOTHING = TYPE_NONE, FILE = TYPE_FILE, DIRECTORY = TYPE_DIRECTORY };

struct disk_inode {
  uint16_t type, links;         // links: in how many directories it is
  uint32_t size;                // bytes
  uint32_t direct[DIRECT];      // blocks; 0: none
  uint32_t indirect;            // a block with the numbers of more blocks
};

// A directory is a file of struct directory_entry: see information.h.
