// Formatted output: to the console, or into a buffer.

#include "lib.h"

// Where the characters go. Without a buffer they go to the console.
struct sink {
  char *buffer;
  size_t size;                  // of the buffer
  size_t count;                 // characters so far, also those that did not fit
};

static void
put(struct sink *sink, char c)
{
  if (sink->buffer == 0)
    putchar(c);
  else if (sink->count + 1 < sink->size)
    sink->buffer[sink->count] = c;
  sink->count++;
}

static void
put_padded(struct sink *sink, const char *text, size_t length, int width, char pad, bool left)
{
  int missing = width - (int)length;

  for (; !left && missing > 0; missing--)
    put(sink, pad);
  for (size_t i = 0; i < length; i++)
    put(sink, text[i]);
  for (; missing > 0; missing--)
    put(sink, ' ');
}

static void
put_number(struct sink *sink, uint64_t value, bool negative, int base, int width, char pad, bool left)
{
  char digits[21];              // 64 bits have at most 20 decimal digits, and a sign
  char *p = digits + sizeof digits;

  do {
    *--p = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  if (negative && pad == '0') {
    put(sink, '-');             // the sign stands before the zeros
    width--;
  } else if (negative)
    *--p = '-';
  put_padded(sink, p, digits + sizeof digits - p, width, pad, left);
}

static void
format_to(struct sink *sink, const char *format, va_list arguments)
{
  for (; *format != 0; format++) {
    if (*format != '%') {
      put(sink, *format);
      continue;
    }

    bool left = false;
    char pad = ' ';
    int width = 0, longs = 0;
    for (format++; *format == '-' || *format == '0'; format++)
      if (*format == '-')
        left = true;
      else
        pad = '0';
    if (left)
      pad = ' ';
    for (; *format >= '0' && *format <= '9'; format++)
      width = 10 * width + *format - '0';
    for (; *format == 'l' || *format == 'z'; format++)
      longs += *format == 'l';

    int64_t value;
    const char *s;
    switch (*format) {
    case 'd':
      value = longs > 1 ? va_arg(arguments, int64_t) : va_arg(arguments, int32_t);
      put_number(sink, value < 0 ? -(uint64_t)value : value, value < 0, 10, width, pad, left);
      break;
    case 'u':
    case 'x':
      value = longs > 1 ? va_arg(arguments, int64_t) : va_arg(arguments, uint32_t);
      put_number(sink, value, false, *format == 'u' ? 10 : 16, width, pad, left);
      break;
    case 'p':
      put_number(sink, va_arg(arguments, uint32_t), false, 16, 8, '0', false);
      break;
    case 'c':
      put_padded(sink, &(char){va_arg(arguments, int)}, 1, width, ' ', left);
      break;
    case 's':
      s = va_arg(arguments, const char *);
      if (s == 0)
        s = "(null)";
      put_padded(sink, s, strlen(s), width, ' ', left);
      break;
    case 0:
      return;                   // the format ends with a lone %
    default:
      put(sink, *format);
    }
  }
}

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
