// Programs that the builder has linked into this one: `embed` in build.toml.
#pragma once

#include <stdint.h>

struct program {
  const char *name;             // 0 after the last
  const void *start;            // an ELF file, or a flat binary
  uint32_t size;                // bytes
};

extern const struct program programs[];
