// Switches the machine off, with an exit code if one is given.

#include "user.h"

int
main(int argc, char **argv)
{
  return halt(argc > 1 ? number_of(argv[1]) : 0);
}
