// The word that secret has, and that others look for.
#pragma once

#include "attack.h"

enum { SECRET = 0x5ec2e75e };

// How often it stands in a piece of storage.
static inline int
find_secret(const uint32_t *from, uint32_t size)
{
  int found = 0;

  for (uint32_t n = 0; n < size / 4; n++)
    found += from[n] == SECRET;
  return found;
}
