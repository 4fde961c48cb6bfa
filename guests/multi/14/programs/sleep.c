// Waits for a number of thousands of ticks.

#include "user.h"

int
main(int argc, char **argv)
{
  if (argc > 1)
    sleep(1000 * number_of(argv[1]));
  return 0;
}
