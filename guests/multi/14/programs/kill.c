// Ends processes by their numbers.

#include "user.h"

int
main(int argc, char **argv)
{
  int failed = argc < 2;

  if (argc < 2)
    complain("usage: kill NUMBER ...\n");
  for (int n = 1; n < argc; n++)
    if (kill(number_of(argv[n])) < 0) {
      complain("kill: there is no process %s\n", argv[n]);
      failed = 1;
    }
  return failed;
}
