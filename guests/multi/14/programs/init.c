// The first process: starts a shell, another one if that was killed, and takes care of children
// whose parents have ended.

#include "user.h"

// Returns the shell's exit code.
static int
run_shell(void)
{
  char *arguments[] = {"sh", 0};
  int number = fork(), ended, code = 1;

  if (number == 0) {
    exec("/bin/sh", arguments);
    complain("init: there is no shell\n");
    exit(1);
  }
  while ((ended = wait(&code)) > 0 && ended != number)
    ;
  return code;
}

int
main(int argc, char **argv)
{
  int code;

  printf("multi: processes, paging, files. \"help\" tells what there is, \"exit\" is the end.\n");
  while ((code = run_shell()) == -1)
    complain("init: the shell was killed; here is another one\n");
  return code;
}
