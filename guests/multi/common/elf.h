// Program files, as the compiler's linker makes them.
#pragma once

#include <stdint.h>

enum { SEGMENT_EXECUTE = 1, SEGMENT_WRITE = 2, SEGMENT_READ = 4 };      // as in the file

// A piece of a program: `size` bytes from `start` on, the first `file_size` of them from the file.
struct segment {
  uint32_t start, size;
  uint32_t offset, file_size;
  uint32_t flags;
};

enum { SEGMENTS = 4, ELF_HEADERS = 512 };

// Reads the segments from the first bytes of a file, of which there are `length`. Returns how many
// there are, or -1 if that is no program.
int elf_segments(const void *file, uint32_t length, struct segment *segments, uint32_t *entry);
