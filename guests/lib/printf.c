// printf and its kin: formatted output to the console, or into a buffer.

#include "format.h"

int
vprintf(const char *format, va_list arguments)
{
  struct sink sink = {0};
  format_to(&sink, format, arguments);
  return sink.count;
}

int
vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
  struct sink sink = {buffer, size, 0};
  format_to(&sink, format, arguments);
  if (size > 0)
    buffer[sink.count < size ? sink.count : size - 1] = 0;
  return sink.count;
}

int
printf(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  int count = vprintf(format, arguments);
  va_end(arguments);
  return count;
}

int
snprintf(char *buffer, size_t size, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  int count = vsnprintf(buffer, size, format, arguments);
  va_end(arguments);
  return count;
}
