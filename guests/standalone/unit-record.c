// Card reader, line printer and card punch, each driven by its interrupt.

#include "exerciser.h"

static bool
is_there(uint32_t device_tree, const char *node)
{
  uint32_t base, size;

  if (device_tree_region(device_tree, node, &base, &size))
    return true;
  printf("%-14s is not there\n", node);
  return false;
}

static bool
command_ends(uint32_t device, int source, enum unit_command command)
{
  bool was_busy;

  unit_interrupts(device, true);
  unit_start(device, command);
  was_busy = (unit_status(device) & UNIT_READY) == 0;
  return was_busy && interrupt_comes(source) && (unit_status(device) & UNIT_READY) != 0;
}

static void
fill(uint32_t device, const char *text)
{
  for (int i = 0; text[i] != 0; i++)
    unit_buffer(device)[i] = text[i];
}

static void
exercise_reader(void)
{
  uint32_t count = 0;

  // The last FEED finds no card: END is up only until the interrupt is served, so the blank
  // buffer says it.
  do {
    if (!command_ends(READER, IRQ_READER, READER_FEED)) {
      report("card-reader", "feed", false);
      return;
    }
  } while (unit_buffer(READER)[0] != ' ' && ++count < 10000);
  report("card-reader", "feed", true);
}

void
exercise_unit_record(uint32_t device_tree)
{
  if (is_there(device_tree, "card-reader"))
    exercise_reader();
  if (is_there(device_tree, "line-printer")) {
    fill(PRINTER, "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG 0123456789");
    report("line-printer", "print", command_ends(PRINTER, IRQ_PRINTER, PRINTER_PRINT));
    report("line-printer", "buffer blank again", unit_buffer(PRINTER)[0] == ' ');
    report("line-printer", "eject", command_ends(PRINTER, IRQ_PRINTER, PRINTER_EJECT));
  }
  if (is_there(device_tree, "card-punch")) {
    fill(PUNCH, "THE QUICK BROWN FOX");
    report("card-punch", "punch", command_ends(PUNCH, IRQ_PUNCH, PUNCH_PUNCH));
  }
}
