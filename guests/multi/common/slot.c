// Slots: a part of the disk, cut into pages.

#include "slot.h"
#include "disk_wait.h"
#include "lib.h"

static uint32_t first_sector, slot_count;
static bool slot_taken[SLOTS];

void
slots_begin(uint32_t sector, uint32_t count)
{
  first_sector = sector;
  slot_count = count < SLOTS ? count : SLOTS;
}

uint32_t
slot_take(void)
{
  for (uint32_t slot = 1; slot < slot_count; slot++)
    if (!slot_taken[slot]) {
      slot_taken[slot] = true;
      return slot;
    }
  return 0;
}

void
slot_give(uint32_t slot)
{
  slot_taken[slot] = false;
}

static void
transfer(enum disk_command command, uint32_t slot, void *frame)
{
  disk_wait(command, first_sector + slot * SECTORS_OF_PAGE, frame, SECTORS_OF_PAGE);
}

void
slot_read(uint32_t slot, void *frame)
{
  transfer(DISK_READ, slot, frame);
}

void
slot_write(uint32_t slot, void *frame)
{
  transfer(DISK_WRITE, slot, frame);
}
