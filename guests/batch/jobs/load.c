// LOAD: keeps the processor busy as programs of that time did, after Weicker's Dhrystone (CACM
// 27(10), 1984): mostly assignments, calls, comparisons, texts, records; hardly any multiplication.
// A data card says how many rounds to make; without one there are 50. Prints what came out of it.

#include "job.h"

enum kind { NUMBER, NAME };

struct record {
  struct record *next;
  enum kind kind;
  int value;
  char text[32];
};

static struct record first, second;
static int table[50], square[10][10];

static enum kind
other(enum kind kind)
{
  return kind == NUMBER ? NAME : NUMBER;
}

// Copies a record along its list, and changes what is in it.
static void
exchange(struct record *from, int value)
{
  struct record *to = from->next;

  *to = *from;
  to->value = value;
  to->kind = other(from->kind);
  if (to->kind == NAME && strcmp(to->text, from->text) == 0)
    to->text[value % 30] ^= 1;
  to->next = from;
}

static void
fill(int at, int value)
{
  table[at] = value;
  table[at + 1] = table[at];
  for (int i = 0; i < 10; i++)
    square[at % 10][i] = table[at] + i;
}

static int
round(int number, int sum)
{
  static const char text[32] = "DHRYSTONE PROGRAM, SOME STRING";

  memcpy(first.text, text, sizeof text);
  first.kind = number % 2 ? NUMBER : NAME;
  first.next = &second;
  exchange(&first, number + sum % 7);
  fill(number % 40, second.value);
  if (strcmp(first.text, second.text) < 0)
    sum += 3;
  return sum + square[number % 10][number % 7] / 3 + second.kind;
}

int
main(void)
{
  char card[CARD_COLUMNS + 1];
  int rounds = 50, sum = 0;

  if (read(card)) {
    rounds = 0;
    for (const char *p = card; *p >= '0' && *p <= '9'; p++)
      rounds = 10 * rounds + *p - '0';
  }
  for (int i = 0; i < rounds; i++)
    sum = round(i, sum);
  print("%d rounds, sum %d", rounds, sum);
  return 0;
}
