// What the kernel tells about a process.
#pragma once

#include <stdint.h>

enum { NAME_LENGTH = 16 };

enum process_state { FREE, NEW, READY, RUNNING, WAITING, ENDED, STATES };

struct status {
  int number, parent;           // parent: 0 if there is none
  char name[NAME_LENGTH];
  enum process_state state;
  int owner, priority;
  uint32_t running, ready, waiting;     // ticks
  uint32_t runs;                // how often it got the processor
  uint32_t pages;               // frames of its storage
  uint32_t faults;              // from stage 13: pages that had to be fetched
};
