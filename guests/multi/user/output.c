// Printing: characters are collected, and a line is written by one call, so that it stays whole.

#include "user.h"

static char line[128];
static uint32_t length;

int
write_all(int file, const void *data, uint32_t size)
{
  for (int n; size > 0; size -= n, data += n)
    if ((n = write(file, data, size)) < 0)
      return -1;
  return 0;
}

void
flush(void)
{
  if (write_all(1, line, length) < 0)
    leave(1);                   // nobody reads it
  length = 0;
}

void
putchar(char c)
{
  line[length++] = c;
  if (c == '\n' || length == sizeof line)
    flush();
}

void
complain(const char *format, ...)
{
  char text[128];
  va_list arguments;

  flush();
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  write_all(2, text, strlen(text));
}

void
exit(int code)
{
  if (length > 0)
    flush();
  leave(code);
}
