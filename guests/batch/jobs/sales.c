// SALES: a report with page headings. Data cards have a department in columns 1 to 10 and an amount
// behind it, the cards of each department together. Each department gets a total.

#include "job.h"

enum { FIELD = 10, ROWS = 20 };         // rows to a page

static int page, row;
static char department[FIELD + 1];
static int total, all;

static void
heading(void)
{
  if (page++ > 0)
    new_page();
  row = 0;
  print("SALES BY DEPARTMENT%60d", page);
  print("%s", "");
  print("DEPARTMENT          AMOUNT");
  print("%s", "");
}

static void
print_row(const char *what, int amount)
{
  if (page == 0 || row == ROWS)
    heading();
  print("%-10s%16d", what, amount);
  row++;
}

static void
end_department(void)
{
  if (department[0] == 0)
    return;
  print_row("  TOTAL", total);
  all += total;
  total = 0;
}

static int
amount_of(const char *card)
{
  int amount = 0;

  for (const char *p = card + FIELD; *p != 0; p++)
    if (*p >= '0' && *p <= '9')
      amount = 10 * amount + *p - '0';
  return amount;
}

int
main(void)
{
  char card[CARD_COLUMNS + 1];

  while (read(card)) {
    if (strncmp(card, department, FIELD) != 0) {
      end_department();
      memcpy(department, card, FIELD);
    }
    total += amount_of(card);
    print_row(department, amount_of(card));
  }
  end_department();
  print_row("ALL", all);
  return 0;
}
