// Deletes files, and directories that are empty.

#include "user.h"

int
main(int argc, char **argv)
{
  int failed = argc < 2;

  if (argc < 2)
    complain("usage: rm NAME ...\n");
  for (int n = 1; n < argc; n++)
    if (unlink(argv[n]) < 0) {
      complain("rm: %s: cannot be deleted\n", argv[n]);
      failed = 1;
    }
  return failed;
}
