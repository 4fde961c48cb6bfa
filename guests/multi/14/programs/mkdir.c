// Makes directories.

#include "user.h"

int
main(int argc, char **argv)
{
  int failed = argc < 2;

  if (argc < 2)
    complain("usage: mkdir NAME ...\n");
  for (int n = 1; n < argc; n++)
    if (mkdir(argv[n]) < 0) {
      complain("mkdir: %s: cannot be made\n", argv[n]);
      failed = 1;
    }
  return failed;
}
