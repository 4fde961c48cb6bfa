// Cards, lines and pages as the monitor sees them: they come from a spool, and go into one. Without
// card reader and printer there is the terminal, and no spooling.
//
// Between `off` and `on` no interrupt comes: what belongs to the units and the spools is ours.

#include "monitor.h"

static bool terminal;

static void
off(void)
{
  csr_clear(mstatus, MSTATUS_MIE);
}

static void
on(void)
{
  csr_set(mstatus, MSTATUS_MIE);
}

void
open_devices(uint32_t device_tree)
{
  uint32_t base, size;

  terminal = !device_tree_region(device_tree, "card-reader", &base, &size);
  if (terminal)
    return;
  open_spools();
  open_units();
  csr_set(mie, INTERRUPT_MEI);
  on();
}

// Until an interrupt has come. WFI ends at one though MIE is 0; it is taken when we let it.
static void
wait(void)
{
  enum payer before = charge(IDLE);
  wait_for_interrupt();
  on();
  off();
  charge(before);
}

bool
card_in(char card[CARD_COLUMNS])
{
  struct entry entry;

  entry.kind = NOTHING;
  if (terminal)
    return terminal_card(card);
  off();
  while (!spool_get(&input, &entry) && !(deck_has_ended() && spool_is_empty(&input)))
    wait();
  start_units();                        // there may be room for a card that waits
  on();
  if (entry.kind == NOTHING)
    memset(card, ' ', CARD_COLUMNS);
  else
    memcpy(card, entry.text, CARD_COLUMNS);
  return entry.kind != NOTHING;
}

static void
put_out(enum kind kind, const char *text, size_t length)
{
  struct entry entry;

  entry.kind = kind;
  entry.length = length;
  memcpy(entry.text, text, length);
  off();
  while (!spool_put(&output, &entry))
    wait();
  start_units();                        // the unit may have nothing to do
  on();
}

void
line_out(const char *text, size_t length)
{
  if (terminal)
    terminal_line(text, length);
  else
    put_out(LINE, text, length);
}

void
page_out(void)
{
  if (terminal)
    putchar('\f');
  else
    put_out(PAGE, "", 0);
}

void
card_out(const char *text, size_t length)
{
  if (!terminal)
    put_out(PUNCHED, text, length);
}

void
finish_output(void)
{
  if (terminal)
    return;
  off();
  while (!units_are_idle() || !spool_is_empty(&output))
    wait();
  on();
}
