// Prints the first lines of its input: 10, or as many as it is told.

#include "user.h"

int
main(int argc, char **argv)
{
  struct input input = {.file = 0};
  char line[256];

  for (int n = argc > 1 ? number_of(argv[1]) : 10; n > 0; n--)
    if (next_line(&input, line, sizeof line) > 0)
      printf("%s", line);
  return 0;
}
