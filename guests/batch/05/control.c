// Control cards. Everything on them is checked, for anybody may have punched them.
//
//      $JOB name,account,seconds,pages
//      $JOB name,account,seconds,pages,cards
//
// Names are 1 to LONGEST_NAME characters, numbers 1 to 9999. After a blank, anything may follow.

#include "monitor.h"

enum { DIGITS = 4 };

static const char bad_name[] = "A NAME HAS 1 TO 8 CHARACTERS";
static const char bad_number[] = "SECONDS, PAGES AND CARDS ARE NUMBERS FROM 1 TO 9999";
static const char missing_field[] = "EXPECTED $JOB NAME,ACCOUNT,SECONDS,PAGES";

bool
card_is(const char *word)
{
  size_t length = strlen(word);
  return strncmp(card, word, length) == 0 && card[length] == ' ';
}

// The next three read from *text on, which they move; false if that is not what stands there.

static bool
scan_name(const char **text, char name[LONGEST_NAME + 1])
{
  size_t length = 0;

  while (**text > ' ' && **text <= '~' && **text != ',') {
    if (length == LONGEST_NAME)
      return false;
    name[length++] = *(*text)++;
  }
  return length > 0;
}

static bool
scan_number(const char **text, uint32_t *number)
{
  const char *start = *text;

  for (; **text >= '0' && **text <= '9'; (*text)++) {
    if (*text - start == DIGITS)
      return false;
    *number = 10 * *number + **text - '0';
  }
  return *number > 0;
}

static bool
scan_comma(const char **text)
{
  return *(*text)++ == ',';
}

// What could be read is in `job`, even if something is wrong behind it.
const char *
read_job_card(void)
{
  const char *text = card + strlen("$JOB");

  while (*text == ' ')
    text++;
  if (!scan_name(&text, job.name))
    return bad_name;
  if (!scan_comma(&text))
    return missing_field;
  if (!scan_name(&text, job.account))
    return bad_name;
  if (!scan_comma(&text))
    return missing_field;
  if (!scan_number(&text, &job.seconds))
    return bad_number;
  if (!scan_comma(&text))
    return missing_field;
  if (!scan_number(&text, &job.pages))
    return bad_number;
  if (*text != ',')
    job.cards = MOST_PUNCHED;
  else if (text++, !scan_number(&text, &job.cards))
    return bad_number;
  return *text == ' ' ? 0 : bad_number;
}
