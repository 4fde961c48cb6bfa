// Slots: the places on the disk for pages that have left storage.
#pragma once

#include <stdint.h>

enum { SLOTS = 2048, SECTORS_OF_PAGE = 8 };

void slots_begin(uint32_t sector, uint32_t count);      // they begin at this sector of the disk
uint32_t slot_take(void);               // 0 if all are taken; there is no slot 0
void slot_give(uint32_t slot);
void slot_read(uint32_t slot, void *frame);
void slot_write(uint32_t slot, void *frame);
