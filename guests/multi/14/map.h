// Which blocks of the file system are free.
#pragma once

#include <stdint.h>

uint32_t map_take(void);                // a block with zeros; 0 if there is none
void map_give(uint32_t block);          // 0 is given back, too
uint32_t map_count(void);               // free blocks
