// What the kernel and programs say to each other about files.
#pragma once

#include <stdint.h>

enum open_mode { READ = 1, WRITE = 2, CREATE = 4, TRUNCATE = 8 };       // may be added

enum file_type { TYPE_NONE, TYPE_FILE, TYPE_DIRECTORY, TYPE_OTHER };

struct information {
  enum file_type type;
  uint32_t inode;               // files and directories are known by this number
  uint32_t links;               // in how many directories
  uint32_t size;                // bytes
};

enum { FILE_NAME = 28 };        // with the 0 at its end

// A directory can be read: it consists of these. Inode 0: a free place.
struct directory_entry {
  uint32_t inode;
  char name[FILE_NAME];
};
