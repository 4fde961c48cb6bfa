// Reading the headers of a program file. System V ABI, chapters 4 and 5.

#include "elf.h"

enum { MAGIC = 0x464c457f, RISCV = 243, LOAD = 1 };

struct elf_header {
  uint32_t magic;
  uint8_t class, order, version, unused[9];
  uint16_t type, machine;
  uint32_t elf_version, entry, programs, sections, flags;
  uint16_t size, program_size, program_count;
};

struct program_header {
  uint32_t type, offset, start, physical, file_size, size, flags, align;
};

int
elf_segments(const void *file, uint32_t length, struct segment *segments, uint32_t *entry)
{
  const struct elf_header *header = file;
  int count = 0;

  if (length < sizeof *header || header->magic != MAGIC || header->machine != RISCV)
    return -1;
  uint32_t at = header->programs;
  for (int n = 0; n < header->program_count; n++, at += sizeof(struct program_header)) {
    if (at % 4 != 0 || at > length || length - at < sizeof(struct program_header))
      return -1;
    const struct program_header *program = (const void *)((const char *)file + at);
    if (program->type != LOAD || program->size == 0)
      continue;
    if (count == SEGMENTS || program->file_size > program->size)
      return -1;
    segments[count++] = (struct segment){
      program->start, program->size, program->offset, program->file_size, program->flags};
  }
  *entry = header->entry;
  return count;
}
