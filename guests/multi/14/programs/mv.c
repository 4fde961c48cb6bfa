// Gives a file another name. What had that name before is deleted; at any time the file has a name.

#include "user.h"

int
main(int argc, char **argv)
{
  if (argc != 3) {
    complain("usage: mv OLD NEW\n");
    return 1;
  }
  int file = open(argv[1], READ);
  close(file);
  if (file >= 0 && strcmp(argv[1], argv[2]) != 0)
    unlink(argv[2]);
  if (file >= 0 && link(argv[1], argv[2]) == 0 && unlink(argv[1]) == 0)
    return 0;
  complain("mv: %s: cannot be done\n", argv[1]);
  return 1;
}
