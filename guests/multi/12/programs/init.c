// The first process: starts the programs that it is told, and waits until all have ended.

#include "user.h"

enum { MOST = 16 };

static const char *names[MOST];
static int numbers[MOST];

static const char *
name_of(int number)
{
  for (int n = 0; n < MOST; n++)
    if (numbers[n] == number)
      return names[n];
  return "an orphan";
}

int
main(int argc, char **argv)
{
  int number, code;

  for (int n = 1; n < argc; n++) {
    char *arguments[] = {argv[n], 0};
    names[n] = argv[n];
    numbers[n] = fork();
    if (numbers[n] == 0) {
      exec(argv[n], arguments);
      printf("init: %s cannot be started\n", argv[n]);
      exit(127);
    }
  }
  while ((number = wait(&code)) > 0)
    printf("init: %s has ended with code %d\n", name_of(number), code);
  return 0;
}
