// Gives a file one more name.

#include "user.h"

int
main(int argc, char **argv)
{
  if (argc == 3 && link(argv[1], argv[2]) == 0)
    return 0;
  complain(argc == 3 ? "ln: cannot be done\n" : "usage: ln OLD NEW\n");
  return 1;
}
