// The first process: starts the programs that it is told, as program:argument:argument, and waits
// until all have ended.

#include "user.h"

enum { MOST = 16, ARGUMENTS = 4 };

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

// In the child: becomes the program.
static void
become(char *text)
{
  char *arguments[ARGUMENTS + 1] = {text}, *colon;

  for (int n = 1; n < ARGUMENTS && (colon = strchr(arguments[n - 1], ':')) != 0; n++) {
    *colon = 0;
    arguments[n] = colon + 1;
  }
  exec(text, arguments);
  printf("init: %s cannot be started\n", text);
  exit(127);
}

int
main(int argc, char **argv)
{
  int number, code;

  for (int n = 1; n < argc; n++) {
    names[n] = argv[n];
    numbers[n] = fork();
    if (numbers[n] == 0)
      become(argv[n]);
    if (numbers[n] < 0)
      printf("init: there is no room for %s\n", argv[n]);
  }
  while ((number = wait(&code)) > 0)
    printf("init: %s has ended with code %d\n", name_of(number), code);
  return 0;
}
