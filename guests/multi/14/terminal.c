// The terminal. The interrupt only collects what is typed; the line is put together, and echoed,
// when somebody wants to read it. So what is typed ahead does not get mixed with what is printed.

#include "terminal.h"
#include "lib.h"
#include "machine.h"
#include "schedule.h"
#include "storage.h"

enum {
  TYPED = 256, LINE = 128,
  UART_INTERRUPTS = 1,          // offset of the register that lets the port interrupt
  BACKSPACE = 8, DELETE = 127, END_OF_INPUT = 4, ERASE_LINE = 21,       // Ctrl-D, Ctrl-U
};

static char typed[TYPED];               // a ring
static uint32_t arrived, taken;         // both count for ever
static char line[LINE];
static uint32_t length, given;          // of the line, and how much of it was read

void
terminal_begin(void)
{
  plic_enable(PLIC_SUPERVISOR, IRQ_UART);
  uart_enable_interrupt();
}

// While there is no room, what is typed waits in the port.
void
terminal_interrupt(void)
{
  int c;

  while (arrived - taken < TYPED && (c = uart_get()) >= 0)
    typed[arrived++ % TYPED] = c;
  if (arrived - taken == TYPED)
    REG8(UART + UART_INTERRUPTS) = 0;
  wake(typed);
}

static char
next_key(void)
{
  while (arrived == taken)
    sleep(typed);
  char c = typed[taken++ % TYPED];
  uart_enable_interrupt();
  return c == '\r' ? '\n' : c;
}

static void
rub_out(void)
{
  if (length > 0) {
    length--;
    printf("\b \b");
  }
}

// Collects a line. False if it is the end of the input instead.
static bool
edit_line(void)
{
  for (;;) {
    char c = next_key();
    if (c == END_OF_INPUT)
      return length > 0;
    if (c == BACKSPACE || c == DELETE)
      rub_out();
    else if (c == ERASE_LINE)
      while (length > 0)
        rub_out();
    else if (c == '\n' || (c >= ' ' && length < LINE - 1)) {
      line[length++] = c;
      putchar(c);
    }
    if (c == '\n')
      return true;
  }
}

int
terminal_read(uint32_t to, uint32_t size)
{
  if (given == length) {
    given = length = 0;
    if (!edit_line())
      return 0;
  }
  if (size > length - given)
    size = length - given;
  if (!copy_out(to, line + given, size))
    return -1;
  given += size;
  return size;
}

int
terminal_write(uint32_t from, uint32_t size)
{
  char piece[128];

  if (size > sizeof piece)
    size = sizeof piece;
  if (!copy_in(piece, from, size))
    return -1;
  for (uint32_t i = 0; i < size; i++)
    putchar(piece[i]);
  return size;
}
