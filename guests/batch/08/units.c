// Reader, printer and punch, each of which works as long as its spool lets it.

#include "monitor.h"

struct unit {
  uint32_t device;
  bool at_work;
  uint64_t since, busy;                 // when it began what it does; how long it has worked in all
};

enum { UNITS = 3 };

static struct unit units[UNITS] = {{READER}, {PRINTER}, {PUNCH}};
static struct unit *const reader = &units[0], *const printer = &units[1], *const punch = &units[2];

static bool card_waits, deck_ended;     // a card is in the reader's buffer; it found none
static struct entry next;               // to be printed or punched, unless its kind is NOTHING

static void
start(struct unit *unit, enum unit_command command)
{
  unit->at_work = true;
  unit->since = clock_now();
  unit_start(unit->device, command);
}

void
open_units(void)
{
  for (int i = 0; i < UNITS; i++) {
    plic_enable(PLIC_MACHINE, IRQ_READER + i);
    unit_interrupts(units[i].device, true);
  }
  start(reader, READER_FEED);
}

// A card goes from the reader's buffer into its spool; then the reader may take the next one.
static void
start_reader(void)
{
  const volatile uint32_t *buffer = (volatile uint32_t *)unit_buffer(READER);
  static struct entry entry = {.kind = CARD, .length = CARD_COLUMNS};

  if (!card_waits)
    return;
  for (int i = 0; i < CARD_COLUMNS / 4; i++)
    ((uint32_t *)entry.text)[i] = buffer[i];
  if (!spool_put(&input, &entry))
    return;
  card_waits = false;
  start(reader, READER_FEED);
}

// Entries are put out in order: one that waits for its unit holds up those behind it.
static bool
start_output(void)
{
  struct unit *unit = next.kind == PUNCHED ? punch : printer;
  volatile uint32_t *buffer = (volatile uint32_t *)unit_buffer(unit->device);

  if (unit->at_work)
    return false;
  memset(next.text + next.length, ' ', -next.length & 3);       // up to a whole word
  for (int i = 0; i < (next.length + 3) / 4; i++)
    buffer[i] = ((uint32_t *)next.text)[i];
  if (next.kind == PUNCHED)
    start(unit, PUNCH_PUNCH);
  else
    start(unit, next.kind == LINE ? PRINTER_PRINT : PRINTER_EJECT);
  next.kind = NOTHING;
  return true;
}

void
start_units(void)
{
  start_reader();
  while (next.kind != NOTHING || spool_get(&output, &next))
    if (!start_output())
      break;
}

bool
unit_interrupt(int source)
{
  if (source < IRQ_READER || source >= IRQ_READER + UNITS)
    return false;
  struct unit *unit = &units[source - IRQ_READER];
  uint32_t status = unit_status(unit->device);

  unit_acknowledge(unit->device);
  unit->at_work = false;
  unit->busy += clock_now() - unit->since;
  if (unit == reader) {
    deck_ended = (status & UNIT_END) != 0;
    card_waits = !deck_ended;
  }
  return true;
}

bool
deck_has_ended(void)
{
  return deck_ended;
}

bool
units_are_idle(void)
{
  return next.kind == NOTHING && !printer->at_work && !punch->at_work;
}

// With perfect overlap, whoever has most to do works all the time, and the others as much as they
// have to: each one's part of the time is then its work, divided by the greatest of them.
void
print_utilisation(void)
{
  uint64_t work[] = {reader->busy, time_of(JOB) + time_of(MONITOR), printer->busy};
  uint64_t elapsed = work[1] + time_of(IDLE), most = 1;

  for (int i = 0; i < 3; i++)
    most = work[i] > most ? work[i] : most;
  print("AT WORK  READER %llu  PROCESSOR %llu  PRINTER %llu TICKS", work[0], work[1], work[2]);
  print("THAT IS  READER %llu  PROCESSOR %llu  PRINTER %llu PER CENT OF THE TIME",
        100 * work[0] / elapsed, 100 * work[1] / elapsed, 100 * work[2] / elapsed);
  print("AT BEST  READER %llu  PROCESSOR %llu  PRINTER %llu PER CENT",
        100 * work[0] / most, 100 * work[1] / most, 100 * work[2] / most);
}
