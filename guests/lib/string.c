// Strings: characters up to a zero.

#include "lib.h"

size_t
strlen(const char *s)
{
  size_t length = 0;

  while (s[length] != 0)
    length++;
  return length;
}

int
strcmp(const char *a, const char *b)
{
  return strncmp(a, b, SIZE_MAX);
}

int
strncmp(const char *a, const char *b, size_t most)
{
  for (; most > 0; most--, a++, b++)
    if (*a != *b || *a == 0)
      return (uint8_t)*a - (uint8_t)*b;
  return 0;
}

char *
strchr(const char *s, int c)
{
  for (; *s != (char)c; s++)
    if (*s == 0)
      return 0;
  return (char *)s;
}

// Copies as much as fits; returns the length of `from`, so that the caller can tell.
size_t
strlcpy(char *to, const char *from, size_t size)
{
  size_t length = strlen(from);

  if (size > 0) {
    size_t fits = length < size ? length : size - 1;
    memcpy(to, from, fits);
    to[fits] = 0;
  }
  return length;
}
