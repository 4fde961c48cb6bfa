// Card reader, line printer and card punch. They have the same registers, so one driver does.
// A device works by itself once a command has started it; READY says that it takes the next one.

#include "lib.h"
#include "machine.h"

enum {                          // offsets of the registers
  STATUS = 0x00,
  COMMAND = 0x04,
  INTERRUPT_ENABLE = 0x08,
  ACKNOWLEDGE = 0x10,
  BUFFER = 0x80,
};

uint32_t
unit_status(uint32_t device)
{
  return REG32(device + STATUS);
}

// The device must be ready: it ignores a command while it is busy.
void
unit_start(uint32_t device, enum unit_command command)
{
  REG32(device + COMMAND) = command;
}

// Takes back the request for an interrupt that the end of a command is.
void
unit_acknowledge(uint32_t device)
{
  REG32(device + ACKNOWLEDGE) = 1;
}

void
unit_interrupts(uint32_t device, bool on)
{
  REG32(device + INTERRUPT_ENABLE) = on;
}

// The reader shows its card here; printer and punch take theirs from here, and blank it at once.
volatile char *
unit_buffer(uint32_t device)
{
  return (volatile char *)(device + BUFFER);
}

static void
wait_for(uint32_t device, uint32_t status)
{
  while ((unit_status(device) & status) == 0)
    ;
}

// Puts text into the buffer's first columns; the device may still be at work on the last one.
static void
put_out(uint32_t device, enum unit_command command, const char *text, size_t length, size_t width)
{
  volatile char *buffer = unit_buffer(device);

  for (size_t i = 0; i < length && i < width; i++)
    buffer[i] = text[i];
  wait_for(device, UNIT_READY);
  unit_start(device, command);
}

// False if there is no card left; then `card` is blank.
bool
card_read(char card[CARD_COLUMNS])
{
  wait_for(READER, UNIT_READY);
  unit_start(READER, READER_FEED);
  wait_for(READER, UNIT_DONE);
  for (int i = 0; i < CARD_COLUMNS; i++)
    card[i] = unit_buffer(READER)[i];
  return (unit_status(READER) & UNIT_END) == 0;
}

// These two come back as soon as the device has begun.
void
line_print(const char *text, size_t length)
{
  put_out(PRINTER, PRINTER_PRINT, text, length, LINE_COLUMNS);
}

void
card_punch(const char *text, size_t length)
{
  put_out(PUNCH, PUNCH_PUNCH, text, length, CARD_COLUMNS);
}

void
page_eject(void)
{
  wait_for(PRINTER, UNIT_READY);
  unit_start(PRINTER, PRINTER_EJECT);
}

// Waits for the last line: before the machine is switched off.
void
printer_finish(void)
{
  wait_for(PRINTER, UNIT_READY);
}
