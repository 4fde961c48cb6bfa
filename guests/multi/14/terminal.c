// The terminal. The interrupt only collects what is typed; the line is put together, and echoed,
// when somebody wants to read it. So what is typed ahead does not get mixed with what is printed.

#include "terminal.h"
#include "lib.h"
#include "machine.h"
#include "process.h"
#include "schedule.h"
#include "storage.h"

enum {
  TYPED = 256, LINE = 128,
  UART_INTERRUPTS = 1,          // offset of the register that lets the port interrupt
  BACKSPACE = 8, BELL = 7, ESCAPE = 27, DELETE = 127,
  END_OF_INPUT = 4, ERASE_LINE = 21, STOP = 24,         // Ctrl-D, Ctrl-U, Ctrl-X
};

static char typed[TYPED];               // a ring
static uint32_t arrived, taken;         // both count for ever
static char line[LINE];
static uint32_t length;                 // of what is being edited
static uint32_t ready, given;           // of a line that is complete, and how much of it was read
static const struct process *shell;

void
terminal_begin(void)
{
  plic_enable(PLIC_SUPERVISOR, IRQ_UART);
  uart_enable_interrupt();
}

void
terminal_for(const struct process *p)
{
  shell = p;
}

// All programs end but init and the shell; if that waits for a line, it gets an empty one.
static void
stop_programs(void)
{
  printf("^X");
  process_kill_all_but(shell);
  arrived = taken = length = 0;
  if (shell != 0 && shell->state == WAITING && shell->channel == typed)
    typed[arrived++] = '\n';
  else
    putchar('\n');
}

// While there is no room, what is typed waits in the port.
void
terminal_interrupt(void)
{
  int c;

  while (arrived - taken < TYPED && (c = uart_get()) >= 0)
    if (c == STOP)
      stop_programs();
    else
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

// Arrows and such are ESCAPE, [ or O, and more up to a letter or a tilde.
static void
skip_key(void)
{
  char c = next_key();

  if (c == '[' || c == 'O')
    while ((c = next_key()) < '@')
      ;
}

// Collects a line, or what there is of it at the end of the input.
static void
edit_line(void)
{
  for (char c = 0; c != '\n';) {
    c = next_key();
    if (c == END_OF_INPUT)
      break;
    if (c == BACKSPACE || c == DELETE)
      rub_out();
    else if (c == ERASE_LINE)
      while (length > 0)
        rub_out();
    else if (c == '\n' || (c >= ' ' && length < LINE - 1)) {
      line[length++] = c;
      putchar(c);
    } else if (c == ESCAPE)
      skip_key();
    else if (c >= ' ')
      putchar(BELL);            // the line is full
  }
  ready = length;
  given = length = 0;
}

int
terminal_read(uint32_t to, uint32_t size)
{
  char piece[LINE];

  if (given == ready)
    edit_line();
  if (size > ready - given)
    size = ready - given;
  memcpy(piece, line + given, size);
  given += size;                // before we may have to wait for a page: others read, too
  return copy_out(to, piece, size) ? (int)size : -1;
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
