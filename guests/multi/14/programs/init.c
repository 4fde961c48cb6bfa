// The first process: starts a shell, and takes care of children whose parents have ended.

#include "user.h"

int
main(int argc, char **argv)
{
  char *shell[] = {"sh", 0};
  int number = fork(), ended;

  if (number == 0) {
    exec("/bin/sh", shell);
    complain("init: there is no shell\n");
    exit(1);
  }
  while ((ended = wait(0)) > 0 && ended != number)
    ;
  return 0;
}
