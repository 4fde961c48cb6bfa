// Copying, filling and comparing storage. The compiler calls these for large assignments.

#include "lib.h"

void *
memcpy(void *to, const void *from, size_t size)
{
  char *t = to;
  const char *f = from;

  // By words where both stand on word boundaries.
  if ((((uintptr_t)t | (uintptr_t)f) & 3) == 0)
    for (; size >= 4; size -= 4, t += 4, f += 4)
      *(uint32_t *)t = *(const uint32_t *)f;
  while (size-- > 0)
    *t++ = *f++;
  return to;
}

void *
memmove(void *to, const void *from, size_t size)
{
  char *t = to;
  const char *f = from;

  if (t <= f || t >= f + size)
    return memcpy(to, from, size);
  while (size-- > 0)            // the end of `from` lies in `to`: copy from the end
    t[size] = f[size];
  return to;
}

void *
memset(void *to, int byte, size_t size)
{
  char *t = to;

  if (((uintptr_t)t & 3) == 0)
    for (; size >= 4; size -= 4, t += 4)
      *(uint32_t *)t = (uint8_t)byte * 0x01010101u;
  while (size-- > 0)
    *t++ = byte;
  return to;
}

int
memcmp(const void *a, const void *b, size_t size)
{
  const uint8_t *p = a, *q = b;

  for (; size > 0; size--, p++, q++)
    if (*p != *q)
      return *p - *q;
  return 0;
}
