// Runs a program with another priority, which counts if the policy is "priority".

#include "user.h"

int
main(int argc, char **argv)
{
  if (argc < 3) {
    complain("usage: nice PRIORITY PROGRAM [ARGUMENT ...]\n");
    return 1;
  }
  priority(number_of(argv[1]));
  exec(argv[2], argv + 2);
  complain("nice: %s: not found\n", argv[2]);
  return 127;
}
