// The services in C.

#include "job.h"

bool
read(char card[CARD_COLUMNS + 1])
{
  card[CARD_COLUMNS] = 0;
  return service((uint32_t)card, 0, SERVICE_READ) == CARD_COLUMNS;
}

void
print(const char *format, ...)
{
  char line[LINE_COLUMNS + 1];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  service((uint32_t)line, strlen(line), SERVICE_PRINT);
}

void
punch(const char *text)
{
  service((uint32_t)text, strlen(text), SERVICE_PUNCH);
}

void
new_page(void)
{
  service(0, 0, SERVICE_PAGE);
}

uint32_t
ticks(void)
{
  return service(0, 0, SERVICE_TIME);
}
