// Disk dump and restore: sectors as Intel HEX records, to the console or to cards, and back.
//
//   kit run guests/standalone/disk-dump.c --disk my.img --append "dump 0 16"
//   kit run guests/standalone/disk-dump.c --disk my.img --append "restore cards" --reader my.deck
//
// dump [FIRST [COUNT]] [cards]: without numbers, the whole disk. restore [cards].

#include "lib.h"
#include "machine.h"
#include "records.h"

static uint8_t sector[SECTOR_SIZE];

// Uses up no time: with interrupts off, WFI still ends when one is wanted.
void
sleep_until_interrupt(void)
{
  wait_for_interrupt();
  plic_complete(PLIC_MACHINE, plic_claim(PLIC_MACHINE));
}

static void
move(enum disk_command direction, uint32_t number)
{
  struct disk_request request = {
    .type = direction, .sector = number, .buffer = sector, .size = SECTOR_SIZE};

  disk_start(&request);
  while (!request.done) {
    sleep_until_interrupt();
    disk_finished();
  }
  if (request.result != 0)
    panic("sector %u: the disk reports an error", number);
}

static void
dump(uint32_t from, uint32_t count)
{
  for (uint32_t n = from; n < from + count; n++) {
    uint32_t address = n * SECTOR_SIZE;
    move(DISK_READ, n);
    if (n == from || (uint16_t)address == 0)
      put_record(UPPER_ADDRESS, 0, (uint8_t[]){address >> 24, address >> 16}, 2);
    for (int at = 0; at < SECTOR_SIZE; at += RECORD_BYTES)
      put_record(DATA, address + at, sector + at, RECORD_BYTES);
  }
  put_record(END, 0, 0, 0);
}

// Puts bytes to their place on the disk. A sector is written when the next one begins.
static uint32_t
store(uint32_t current, uint32_t address, const uint8_t *data, int count)
{
  for (int i = 0; i < count; i++, address++) {
    uint32_t number = address / SECTOR_SIZE;
    if (number != current) {
      if (current != UINT32_MAX)
        move(DISK_WRITE, current);
      move(DISK_READ, number);
      current = number;
    }
    sector[address % SECTOR_SIZE] = data[i];
  }
  return current;
}

static void
restore(void)
{
  uint8_t record[RECORD_SIZE];
  uint32_t upper = 0, current = UINT32_MAX;
  int type;

  while ((type = get_record(record)) != END)
    if (type == UPPER_ADDRESS)
      upper = (uint32_t)record[4] << 24 | record[5] << 16;
    else if (type == DATA)
      current = store(current, upper + (record[1] << 8 | record[2]), record + 4, record[0]);
  if (current != UINT32_MAX)
    move(DISK_WRITE, current);
  printf("restored, %u lines\n", line_number);
}

// What is to be done

static const char *
skip_word(const char *text)
{
  while (*text != 0 && *text != ' ')
    text++;
  while (*text == ' ')
    text++;
  return text;
}

static bool
begins(const char *text, const char *word)
{
  return strncmp(text, word, strlen(word)) == 0;
}

static uint32_t
number(const char **text, uint32_t otherwise)
{
  uint32_t value = 0;
  const char *p = *text;

  if (*p < '0' || *p > '9')
    return otherwise;
  for (; *p >= '0' && *p <= '9'; p++)
    value = 10 * value + *p - '0';
  *text = skip_word(p);
  return value;
}

int
main(uint32_t hart, uint32_t device_tree)
{
  const char *wish = boot_arguments(device_tree);
  const char *rest = skip_word(wish);
  int source = disk_open();

  if (source == 0)
    panic("this machine has no disk");
  plic_enable(PLIC_MACHINE, source);
  plic_enable(PLIC_MACHINE, IRQ_UART);
  uart_enable_interrupt();
  csr_set(mie, INTERRUPT_MEI);

  if (begins(wish, "restore")) {
    cards = begins(rest, "cards");
    restore();
  } else {
    uint32_t from = number(&rest, 0);
    uint32_t count = number(&rest, disk_sectors() - from);
    cards = begins(rest, "cards");
    dump(from, count);
  }
  return 0;
}
