// Frames: the pages that storage consists of.
#pragma once

#include <stdint.h>

void frames_find(uint32_t end);         // all from the kernel's end up to here are free
void *frame_take(void);                 // filled with zeros; 0 if there is none left
void frame_give(void *frame);
uint32_t frames_free(void);
