// Prints its arguments.

#include "user.h"

int
main(int argc, char **argv)
{
  for (int n = 1; n < argc; n++)
    printf("%s%s", n > 1 ? " " : "", argv[n]);
  printf("\n");
  return 0;
}
