// The resident loader: object cards into the job's storage, and nowhere else.
//
// Whatever is on a card is only believed when it has been checked: its sum, its length, its type,
// and where its data want to go. No byte is loaded twice, so that cards in the wrong deck, or a
// deck put together twice, are noticed.

#include "monitor.h"

enum { DATA = 0, END = 1, SEGMENT = 2, UPPER_HALF = 4, START = 5 };     // types of records

static uint8_t loaded[JOB_SIZE / 8];    // a bit for each byte of the job's storage
static uint32_t upper_part;             // of the addresses on the cards that follow

// Right at the end of the address space, too: nothing is added to an address.
bool
in_job_storage(uint32_t address, uint32_t size)
{
  return address - JOB_BASE <= JOB_SIZE - size;
}

static const char *
take_data(const struct record *record)
{
  uint32_t address = upper_part + record->address;

  if (!in_job_storage(address, record->length))
    return "THE ADDRESSES ARE NOT IN THE JOB'S STORAGE";
  for (uint32_t i = address - JOB_BASE; i < address - JOB_BASE + record->length; i++) {
    if (loaded[i / 8] & 1 << i % 8)
      return "THE ADDRESSES OVERLAP THOSE OF A CARD BEFORE";
    loaded[i / 8] |= 1 << i % 8;
  }
  memcpy((char *)address, record->data, record->length);
  return 0;
}

static const char *
take_start(const struct record *record)
{
  const uint8_t *data = record->data;
  uint32_t entry = (uint32_t)data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3];

  if (!in_job_storage(entry, 2) || entry % 2 != 0)
    return "THE START ADDRESS IS ODD, OR NOT IN THE JOB'S STORAGE";
  job.entry = entry;
  return 0;
}

static const char *
take_record(const struct record *record)
{
  static const uint8_t lengths[] = {[END] = 0, [SEGMENT] = 2, [UPPER_HALF] = 2, [START] = 4};

  if (record->type > START || record->type == 3)
    return "UNKNOWN TYPE OF RECORD";
  if (record->type == DATA)
    return take_data(record);
  if (record->length != lengths[record->type])
    return "A RECORD OF THIS TYPE HAS ANOTHER LENGTH";
  if (record->type == START)
    return take_start(record);
  if (record->type != END)
    upper_part = (record->data[0] << 8 | record->data[1]) << (record->type == SEGMENT ? 4 : 16);
  return 0;
}

// Object cards up to the end record.
static const char *
load_records(void)
{
  struct record record;
  const char *wrong;

  do {
    if (!next_card())
      return "THE DECK ENDS BEFORE $RUN";
    if (card[0] == '$') {
      hold_card();
      return "NO END RECORD BEFORE THE CONTROL CARD";
    }
    wrong = read_record(&record);
    if (wrong == 0)
      wrong = take_record(&record);
  } while (wrong == 0 && record.type != END);
  return wrong;
}

static const char *
expect(const char *word, const char *otherwise)
{
  if (!next_card())
    return "THE DECK ENDS BEFORE $RUN";
  if (card_is(word))
    return 0;
  if (card[0] == '$')
    hold_card();                        // it may be the next job's
  return otherwise;
}

const char *
load_object(void)
{
  clear_job_storage();
  memset(loaded, 0, sizeof loaded);
  upper_part = 0;
  job.entry = JOB_BASE;
  const char *wrong = expect("$LOAD", "EXPECTED $LOAD");
  if (wrong == 0)
    wrong = load_records();
  if (wrong == 0)
    wrong = expect("$RUN", "EXPECTED $RUN");
  return wrong;
}
