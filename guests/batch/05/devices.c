// Card reader, printer and punch; or the terminal, on a machine that has none of these.

#include "monitor.h"

static bool terminal;

void
open_devices(uint32_t device_tree)
{
  uint32_t base, size;
  terminal = !device_tree_region(device_tree, "card-reader", &base, &size);
}

// Whole words: each access to a device takes as long, whatever its size.
static void
copy_in(uint32_t device, const char *text, size_t length)
{
  volatile uint32_t *buffer = (volatile uint32_t *)unit_buffer(device);
  uint32_t words[LINE_COLUMNS / 4], count = (length + 3) / 4;

  if (count > 0)
    words[count - 1] = 0x20202020;      // blanks up to the end of the last word
  memcpy(words, text, length);
  for (uint32_t i = 0; i < count; i++)
    buffer[i] = words[i];
}

bool
card_in(char card[CARD_COLUMNS])
{
  const volatile uint32_t *buffer = (volatile uint32_t *)unit_buffer(READER);

  if (terminal)
    return terminal_card(card);
  unit_start(READER, READER_FEED);
  wait_for(READER, UNIT_DONE);
  for (size_t i = 0; i < CARD_COLUMNS / 4; i++)
    ((uint32_t *)card)[i] = buffer[i];
  return (unit_status(READER) & UNIT_END) == 0;
}

// Printer and punch work while we go on; so their buffers may be filled while they do.
static void
start_output(uint32_t device, enum unit_command command, const char *text, size_t length)
{
  copy_in(device, text, length);
  wait_for(device, UNIT_READY);
  unit_start(device, command);
}

void
line_out(const char *text, size_t length)
{
  if (terminal)
    terminal_line(text, length);
  else
    start_output(PRINTER, PRINTER_PRINT, text, length);
}

void
page_out(void)
{
  if (terminal)
    putchar('\f');
  else
    start_output(PRINTER, PRINTER_EJECT, "", 0);
}

void
card_out(const char *text, size_t length)
{
  if (!terminal)                        // nothing to punch with: the card is lost
    start_output(PUNCH, PUNCH_PUNCH, text, length);
}

// Nobody has looked how long each of them was at work.
void
print_utilisation(void)
{
}

void
finish_output(void)
{
  if (!terminal) {
    wait_for(PRINTER, UNIT_READY);
    wait_for(PUNCH, UNIT_READY);
  }
}
