// Intel HEX records, to the console or to cards, and back: count, address, type, data, checksum.

#include "lib.h"
#include "machine.h"
#include "records.h"

bool cards;
uint32_t line_number;

static const char digits[] = "0123456789abcdef";

void
put_record(int type, uint16_t address, const uint8_t *data, int count)
{
  uint8_t record[RECORD_SIZE] = {count, address >> 8, address, type};
  char text[2 * RECORD_SIZE + 2] = ":";
  uint8_t sum = 0;

  memcpy(record + 4, data, count);
  for (int i = 0; i < count + 4; i++)
    sum += record[i];
  record[count + 4] = -sum;             // all bytes together make 0

  char *p = text + 1;
  for (int i = 0; i < count + 5; i++) {
    *p++ = digits[record[i] >> 4];
    *p++ = digits[record[i] & 15];
  }
  *p = 0;
  if (cards)
    card_punch(text, p - text);
  else
    printf("%s\n", text);
}

static char
wait_for_key(void)
{
  int c;

  while ((c = console_poll()) < 0)
    sleep_until_interrupt();
  return c;
}

// The next line of input, without blanks at its end.
static void
get_line(char *line, int size)
{
  int length = 0;
  char c;

  line_number++;
  if (cards) {
    if (!card_read(line))
      panic("card %u: the deck ends without an end record", line_number);
    length = CARD_COLUMNS;
  } else
    while ((c = wait_for_key()) != '\n')
      if (length < size - 1)
        line[length++] = c;
  while (length > 0 && line[length - 1] == ' ')
    length--;
  line[length] = 0;
}

static int
digit(char c)
{
  const char *found = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);

  if (c == 0 || found == 0)
    panic("line %u: a record has hexadecimal digits, to its end", line_number);
  return found - digits;
}

int
get_record(uint8_t record[RECORD_SIZE])
{
  char line[CARD_COLUMNS + 1];
  uint8_t sum = 0;

  get_line(line, sizeof line);
  if (line[0] != ':')
    panic("line %u: a record begins with a colon", line_number);
  record[0] = RECORD_BYTES;             // until we know
  for (int i = 0; i < record[0] + 5; i++) {
    record[i] = digit(line[2 * i + 1]) << 4 | digit(line[2 * i + 2]);
    sum += record[i];
    if (record[0] > RECORD_BYTES)
      panic("line %u: a record has at most %d bytes", line_number, RECORD_BYTES);
  }
  if (sum != 0)
    panic("line %u: checksum error", line_number);
  return record[3];
}
