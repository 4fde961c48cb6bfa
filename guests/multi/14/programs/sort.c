// Sorts the lines of its input.

#include "user.h"

enum { MOST = 2000 };           // lines

static char *lines[MOST];

static char *
keep(const char *line, int length)
{
  static char *free;
  static uint32_t left;

  if (length + 1 > left) {
    left = 16384;
    free = grow(left);
    if (free == NOWHERE)
      return 0;
  }
  char *kept = memcpy(free, line, length + 1);
  free += length + 1;
  left -= length + 1;
  return kept;
}

// Puts a line into its place among the first `count`, which are in order.
static void
insert(int count, char *line)
{
  int low = 0, high = count;

  while (low < high) {
    int middle = (low + high) / 2;
    if (strcmp(lines[middle], line) <= 0)
      low = middle + 1;
    else
      high = middle;
  }
  memmove(&lines[low + 1], &lines[low], (count - low) * sizeof lines[0]);
  lines[low] = line;
}

int
main(void)
{
  struct input input = {.file = 0};
  char line[256];
  int length, count = 0;

  while ((length = next_line(&input, line, sizeof line)) > 0) {
    char *kept = count < MOST ? keep(line, length) : 0;
    if (kept == 0) {
      complain("sort: too many lines\n");
      return 1;
    }
    insert(count++, kept);
  }
  for (int n = 0; n < count; n++)
    printf("%s", lines[n]);
  return 0;
}
