// Memory test: finds the end of storage, then tests all of it but the program's own.
// The exit code is 0 if no fault was found.

#include "lib.h"
#include "machine.h"
#include "trap.h"

enum { PAGE = 4096, MOST_SHOWN = 10 };

typedef volatile uint32_t word;

static word *first, *end;               // what is tested
static uint32_t faults;
static volatile bool probing, absent;

// Storage ends where a load is refused: that is no mistake, but an answer.
void
trap(struct trap_frame *frame)
{
  if (!probing || frame->cause != CAUSE_LOAD_ACCESS)
    panic("trap: mcause %x, mepc %x, mtval %x", frame->cause, frame->pc, frame->value);
  absent = true;
  bool is_compressed = (*(uint16_t *)frame->pc & 3) != 3;
  frame->pc += is_compressed ? 2 : 4;
}

static bool
is_there(uint32_t address)
{
  absent = false;
  probing = true;
  (void)REG32(address);
  probing = false;
  return !absent;
}

static uint32_t
find_end(uint32_t address)
{
  while (address != 0 && is_there(address))     // 0: the last address is storage, too
    address += PAGE;
  return address;
}

static void
check(word *at, uint32_t expected)
{
  uint32_t found = *at;

  if (found != expected && ++faults <= MOST_SHOWN)
    printf("  at %p: %08x expected, %08x found\n", (void *)at, expected, found);
}

// Each bit of a word can be 1 while all others are 0.
static void
test_data_lines(void)
{
  for (uint32_t bit = 1; bit != 0; bit <<= 1) {
    *first = bit;
    check(first, bit);
    *first = ~bit;
    check(first, ~bit);
  }
}

// A store of a byte or half-word changes nothing beside it.
static void
test_lanes(void)
{
  for (int n = 0; n < 4; n++) {
    *first = 0;
    ((volatile uint8_t *)first)[n] = 0xff;
    check(first, 0xffu << 8 * n);
  }
  for (int n = 0; n < 2; n++) {
    *first = 0;
    ((volatile uint16_t *)first)[n] = 0xffff;
    check(first, 0xffffu << 16 * n);
  }
}

// No two addresses mean the same word: each holds its own address, then the complement.
static void
test_addresses(void)
{
  for (word *at = first; at < end; at++)
    *at = (uint32_t)at;
  for (word *at = first; at < end; at++) {
    check(at, (uint32_t)at);
    *at = ~(uint32_t)at;
  }
  for (word *at = first; at < end; at++)
    check(at, ~(uint32_t)at);
}

static void
march_up(uint32_t expected, uint32_t next)
{
  for (word *at = first; at < end; at++) {
    check(at, expected);
    *at = next;
  }
}

static void
march_down(uint32_t expected, uint32_t next)
{
  for (word *at = end - 1; at >= first; at--) {
    check(at, expected);
    *at = next;
  }
}

// March C-: finds words that cannot change, and words that change with a neighbour.
static void
march(uint32_t pattern)
{
  for (word *at = first; at < end; at++)
    *at = pattern;
  march_up(pattern, ~pattern);
  march_up(~pattern, pattern);
  march_down(pattern, ~pattern);
  march_down(~pattern, pattern);
  march_up(pattern, 0);
}

static void
test_patterns(void)
{
  march(0);
  march(0x55555555);
}

static void
run(const char *name, void test(void))
{
  uint32_t before = faults;

  printf("%s\n", name);
  test();
  if (faults > before)
    printf("  faults: %u\n", faults - before);
}

int
main(uint32_t hart, uint32_t device_tree)
{
  first = (word *)image_end;
  end = (word *)find_end((uint32_t)image_end);

  printf("memory test of %p to %p\n", (void *)first, (char *)end - 1);
  run("data lines", test_data_lines);
  run("byte lanes", test_lanes);
  run("addresses", test_addresses);
  run("march C-", test_patterns);
  printf(faults == 0 ? "no faults\n" : "FAULTY\n");
  return faults != 0;
}
