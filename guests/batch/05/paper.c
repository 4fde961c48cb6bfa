// The paper: lines, put together piece by piece, on pages of PAGE_LINES lines.

#include "monitor.h"

static char line[LINE_COLUMNS] __attribute__((aligned(4)));
static size_t length;
static uint32_t lines_on_page;

void
put_bytes(const char *text, size_t size)
{
  if (size > sizeof line - length)
    size = sizeof line - length;
  memcpy(line + length, text, size);
  length += size;
}

// In capitals: our printer has no others.
static void
put_formatted(const char *format, va_list arguments)
{
  char text[LINE_COLUMNS + 1];

  vsnprintf(text, sizeof text, format, arguments);
  for (char *p = text; *p != 0; p++)
    if (*p >= 'a' && *p <= 'z')
      *p += 'A' - 'a';
  put_bytes(text, strlen(text));
}

void
put(const char *format, ...)
{
  va_list arguments;

  va_start(arguments, format);
  put_formatted(format, arguments);
  va_end(arguments);
}

void
print(const char *format, ...)
{
  va_list arguments;

  va_start(arguments, format);
  put_formatted(format, arguments);
  va_end(arguments);
  end_line();
}

bool
page_is_full(void)
{
  return lines_on_page == 0 || lines_on_page == PAGE_LINES;
}

void
end_line(void)
{
  if (lines_on_page == PAGE_LINES)
    eject();
  line_out(line, length);
  length = 0;
  lines_on_page++;
}

// Does nothing at the top of a page: nobody needs white paper.
void
eject(void)
{
  if (lines_on_page == 0)
    return;
  page_out();
  lines_on_page = 0;
}
