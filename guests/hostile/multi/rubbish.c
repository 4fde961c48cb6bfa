// Tries to run files that are no programs, or programs of what the kernel has and not they.

#include "attack.h"
#include "machine.h"

enum { HEADER = 13, FIELDS = 8, LONGEST = 64, NOT_RUN = 9 };

// An ELF file: its header, and two entries of one segment each, as words.
static uint32_t elf[LONGEST];

static void
make_good(void)
{
  static const uint32_t header[HEADER] = {
    0x464c457f, 0x00010101, 0, 0, 0x00f30002, 1, 0x40000000, 52, 0, 0, 0x00200034, 2, 0};
  static const uint32_t segment[FIELDS] = {1, 0, 0x40000000, 0x40000000, 128, 128, 5, 4096};

  memset(elf, 0, sizeof elf);
  memcpy(elf, header, sizeof header);
  memcpy(elf + HEADER, segment, sizeof segment);
  memcpy(elf + HEADER + FIELDS, segment, sizeof segment);
}

// What is changed in the good one: these words, to these values.
static const struct change {
  int first, second;
  uint32_t value, other;
} changes[] = {
  {0, 0, 0x12345678, 0x12345678},                       // no ELF file
  {4, 4, 0x003e0002, 0x003e0002},                       // for another processor
  {6, 6, RAM, RAM}, {6, 6, 0, 0}, {6, 6, 0x40000001, 0x40000001},       // it begins elsewhere
  {7, 7, 0xffffffff, 0xffffffff}, {7, 7, 0xfffffffc, 0xfffffffc}, {7, 7, 53, 53}, {7, 7, 508, 508},
  {11, 11, 0xffff, 0xffff}, {11, 11, 0, 0},             // many segments, or none
  {15, 17, RAM, 128}, {15, 17, 0, 128}, {15, 17, UART, 1},              // in the kernel's storage
  {15, 18, 0x7fffc000, 4096}, {15, 18, 0x7ffffff0, 4096},               // over the stack
  {18, 18, 0xffffffff, 0xffffffff}, {18, 18, 0x7fffffff, 0x7fffffff},   // too long
  {15, 18, 0xffffff00, 0x200},                          // round the end
  {17, 18, 0x1000, 0x10},                               // more in the file than in storage
  {14, 14, 0xfffffff0, 0xfffffff0}, {14, 17, 0x7fffffff, 0x1000},       // from behind the file
  {23, 26, 0x40000040, 0x1000},                         // one upon the other
};

// Writes it to a file and runs that. What can be run has no code, and is stopped for that.
static int
runs(uint32_t size)
{
  char *arguments[] = {"rubbish", 0};
  int code, file = open("rubbish", WRITE + CREATE + TRUNCATE);

  write(file, elf, size);
  close(file);
  if (fork() == 0) {
    exec("rubbish", arguments);
    leave(NOT_RUN);
  }
  wait(&code);
  return code != -1 && code != NOT_RUN;
}

int
main(void)
{
  int won = 0;

  for (const struct change *c = changes; c < changes + sizeof changes / sizeof changes[0]; c++) {
    make_good();
    elf[c->first] = c->value;
    elf[c->second] = c->other;
    won += runs(sizeof elf);
  }
  make_good();
  for (uint32_t size = 0; size < sizeof elf; size += 13)
    won += runs(size);
  unlink("rubbish");
  return verdict("rubbish", won);
}
