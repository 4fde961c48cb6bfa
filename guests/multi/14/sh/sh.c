// The shell: reads lines, and runs the programs that they name.

#include "sh.h"

static void
run_line(const char *line)
{
  struct job job;
  const char *mistake;

  cut(line);
  while ((mistake = take_job(&job)) == 0 && job.count > 0)
    run_job(&job);
  if (mistake != 0)
    complain("sh: %s\n", mistake);
}

// Reads from the terminal, or from the file that it is given.
int
main(int argc, char **argv)
{
  struct input input = {.file = argc > 1 ? open(argv[1], READ) : 0};
  char line[LINE];

  if (input.file < 0) {
    complain("sh: %s: not found\n", argv[1]);
    return 127;
  }
  for (;;) {
    if (input.file == 0) {
      printf("$ ");
      flush();
    }
    if (next_line(&input, line, sizeof line) == 0)
      return 0;
    run_line(line);
    flush();
  }
}
