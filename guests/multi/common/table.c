// Page tables as the processor walks them. Privileged Architecture 10.3, Sv32.

#include "table.h"
#include "frames.h"
#include "lib.h"
#include "machine.h"

// An address:    31      22 21      12 11       0
//               | in the   | in the   | in the   |
//               | root     | second   | page     |
//
// An entry:      31                    10 9  8 7 6 5 4 3 2 1 0
//               | number of the frame    |    |D A G U X W R V|
//
// An entry of the root with neither R, W nor X leads to a second table of the same form.

enum { ENTRIES = 1024, REACH = ENTRIES * PAGE };       // REACH: of a second table

#define SATP_SV32 0x80000000

static uint32_t *kernel;
static uint32_t seconds, seconds_most;  // second tables of programs, and how many there may be

uint32_t *
table_entry(uint32_t *table, uint32_t address, bool make)
{
  uint32_t *entry = &table[address >> 22];

  if ((*entry & ENTRY_VALID) == 0) {
    void *second = make && (table == kernel || seconds < seconds_most) ? frame_take() : 0;
    if (second == 0)
      return 0;
    seconds += table != kernel;
    *entry = make_entry(second, 0);
  }
  uint32_t *second = entry_frame(*entry);
  return &second[(address >> 12) % ENTRIES];
}

// The kernel's pages are at their own addresses, and no program may use them.
static void
map_kernel(uint32_t start, uint32_t end, uint32_t flags)
{
  for (uint32_t at = start; at < end; at += PAGE) {
    uint32_t *entry = table_entry(kernel, at, true);
    if (entry == 0)
      panic("no storage for the kernel's page table");
    *entry = make_entry((void *)at, flags | ENTRY_ACCESSED | ENTRY_DIRTY);
  }
}

void
table_make_kernel(uint32_t end)
{
  uint32_t text = (uint32_t)text_end, data = ENTRY_READ | ENTRY_WRITE;

  kernel = frame_take();
  map_kernel(FINISHER, FINISHER + PAGE, data);
  map_kernel(CLINT, CLINT + 0x10000, data);
  map_kernel(PLIC, PLIC + 0x400000, data);
  map_kernel(UART, UART + PAGE, data);
  map_kernel(VIRTIO, VIRTIO + VIRTIO_SLOTS * VIRTIO_STEP, data);
  map_kernel(RAM, text, ENTRY_READ | ENTRY_EXECUTE);
  map_kernel(text, end, data);
  seconds_most = frames_free() / 2;     // the other half is for pages
  table_enter(0);
}

// The second tables of the kernel's part are shared by all.
uint32_t *
table_make(void)
{
  uint32_t *table = frame_take();

  if (table != 0)
    memcpy(table, kernel, PAGE);
  return table;
}

void
table_free(uint32_t *table)
{
  for (uint32_t n = USER_START >> 22; n < USER_END >> 22; n++)
    if (table[n] & ENTRY_VALID) {
      frame_give(entry_frame(table[n]));
      seconds--;
    }
  frame_give(table);
}

uint32_t *
table_next(uint32_t *table, uint32_t *page)
{
  uint32_t at = *page > USER_START ? *page : USER_START;

  for (; at < USER_END; at = (at & -REACH) + REACH) {
    uint32_t *second = entry_frame(table[at / REACH]);
    if ((table[at / REACH] & ENTRY_VALID) == 0)
      continue;
    for (uint32_t n = at / PAGE % ENTRIES; n < ENTRIES; n++)
      if (second[n] != 0) {
        *page = (at & -REACH) + n * PAGE;
        return &second[n];
      }
  }
  return 0;
}

void
table_enter(const uint32_t *table)
{
  csr_write(satp, SATP_SV32 | (uint32_t)(table != 0 ? table : kernel) >> 12);
  sfence_vma();
}
