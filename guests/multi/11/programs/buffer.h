// What producer and consumer share: a ring of a few numbers, and who may use it when.
#pragma once

#include "shared.h"
#include "user.h"

enum { PLACES = 4, NUMBERS = 200 };
enum { EMPTY = 0, FULL = 1, BUFFER = 2 };       // semaphores: places, numbers there, a lock

struct buffer {
  int numbers[PLACES];
  uint32_t put, taken;          // both count for ever
};

#define buffer ((volatile struct buffer *)SHARED)
