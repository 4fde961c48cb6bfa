// An object card: a record of the Intel HEX format.
//
//      :LLAAAATTDD...CC
//
// LL is the number of data bytes DD, AAAA an address, TT the type of the record, and CC makes the
// sum of all bytes zero.

#include "monitor.h"

enum { AROUND = 5 };                    // bytes of a record that are not data

static int
digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return -1;
}

// The byte that two digits stand for, or -1. A card ends with 0, which is no digit.
static int
scan_byte(const char *text)
{
  int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
  return low < 0 ? -1 : 16 * high + low;
}

// All bytes of the record, from behind its colon; how many, or -1.
static int
scan_bytes(const char *text, uint8_t bytes[CARD_COLUMNS / 2])
{
  int count = 0;

  do {
    int byte = scan_byte(text + 2 * count);
    if (byte < 0)
      return -1;
    bytes[count++] = byte;              // there is room: the card has as many columns
  } while (count < bytes[0] + AROUND);
  return count;
}

const char *
read_record(struct record *record)
{
  uint8_t bytes[CARD_COLUMNS / 2], sum = 0;

  if (card[0] != ':')
    return "AN OBJECT CARD BEGINS WITH A COLON";
  int count = scan_bytes(card + 1, bytes);
  if (count < 0)
    return "THE RECORD IS CUT SHORT, OR IS NOT HEXADECIMAL";
  for (int i = 0; i < count; i++)
    sum += bytes[i];
  if (sum != 0)
    return "CHECKSUM ERROR";
  for (const char *rest = card + 1 + 2 * count; *rest != 0; rest++)
    if (*rest != ' ')
      return "THERE IS MORE ON THE CARD THAN ITS RECORD";

  record->length = bytes[0];
  record->address = bytes[1] << 8 | bytes[2];
  record->type = bytes[3];
  memcpy(record->data, bytes + 4, record->length);
  return 0;
}
