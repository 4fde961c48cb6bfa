// Formatting: a text with %d, %u, %x, %p, %c, %s in it, and the values that belong there.

#include "format.h"

static void
put(struct sink *sink, char c)
{
  if (sink->buffer == 0)
    putchar(c);
  else if (sink->count + 1 < sink->size)
    sink->buffer[sink->count] = c;
  sink->count++;
}

// What stands between % and the letter.
struct style {
  bool left;                    // pad on the right
  char pad;
  int width;                    // columns at least
  int longs;                    // how often l
};

static void
put_text(struct sink *sink, struct style style, const char *text, size_t length)
{
  int missing = style.width - (int)length;

  for (; !style.left && missing > 0; missing--)
    put(sink, style.pad);
  for (size_t i = 0; i < length; i++)
    put(sink, text[i]);
  for (; missing > 0; missing--)
    put(sink, ' ');
}

static void
put_number(struct sink *sink, struct style style, uint64_t value, bool negative, int base)
{
  char digits[21];              // 64 bits have at most 20 decimal digits, and a sign
  char *end = digits + sizeof digits, *p = end;

  do {
    *--p = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  if (negative && style.pad == '0') {
    put(sink, '-');             // the sign stands before the zeros
    style.width--;
  } else if (negative)
    *--p = '-';
  put_text(sink, style, p, end - p);
}

// Reads the style, up to the letter, which is where it returns to.
static const char *
read_style(const char *p, struct style *style)
{
  *style = (struct style){.pad = ' '};
  for (; *p == '-' || *p == '0'; p++)
    if (*p == '-')
      style->left = true;
    else
      style->pad = '0';
  if (style->left)
    style->pad = ' ';
  for (; *p >= '0' && *p <= '9'; p++)
    style->width = 10 * style->width + *p - '0';
  for (; *p == 'l' || *p == 'z'; p++)
    style->longs += *p == 'l';
  return p;
}

// A va_list may be an array: only through a pointer does the caller see what was taken.
static void
put_argument(struct sink *sink, struct style style, char letter, va_list *arguments)
{
  bool wide = style.longs > 1;  // a single long has 32 bits, as an int has
  int64_t value;
  const char *text;
  char c;

  switch (letter) {
  case 'd':
    value = wide ? va_arg(*arguments, int64_t) : va_arg(*arguments, int32_t);
    put_number(sink, style, value < 0 ? -(uint64_t)value : value, value < 0, 10);
    break;
  case 'u':
  case 'x':
    value = wide ? va_arg(*arguments, int64_t) : va_arg(*arguments, uint32_t);
    put_number(sink, style, value, false, letter == 'u' ? 10 : 16);
    break;
  case 'p':
    style = (struct style){.pad = '0', .width = 8};
    put_number(sink, style, va_arg(*arguments, uint32_t), false, 16);
    break;
  case 'c':
    c = va_arg(*arguments, int);
    put_text(sink, style, &c, 1);
    break;
  case 's':
    text = va_arg(*arguments, const char *);
    if (text == 0)
      text = "(null)";
    put_text(sink, style, text, strlen(text));
    break;
  default:                      // "%%", and what we do not know
    put(sink, letter);
  }
}

void
format_to(struct sink *sink, const char *format, va_list arguments)
{
  struct style style;
  va_list rest;

  va_copy(rest, arguments);
  for (; *format != 0; format++) {
    if (*format != '%') {
      put(sink, *format);
      continue;
    }
    format = read_style(format + 1, &style);
    if (*format == 0)
      break;                    // a lone % at the end
    put_argument(sink, style, *format, &rest);
  }
  va_end(rest);
}
