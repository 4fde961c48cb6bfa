// Does everything at once: children, pipes between them, programs, and files of their own.

#include "user.h"

enum { CHILDREN = 4, ROUNDS = 3, BYTES = 1000 };

// Writes to a pipe what a child reads, and asks the child how much was right.
static int
through_pipe(int seed)
{
  int ends[2], code;

  if (pipe(ends) < 0)
    return 1;
  if (fork() == 0) {
    struct input input = {.file = ends[0]};
    int n = 0;
    close(ends[1]);
    while (next_char(&input) == ((n + seed) & 127) && n < BYTES)
      n++;
    leave(n == BYTES ? 7 : 1);
  }
  close(ends[0]);
  for (int n = 0; n < BYTES; n++) {
    char c = (n + seed) & 127;
    write(ends[1], &c, 1);
  }
  close(ends[1]);
  return wait(&code) < 0 || code != 7;
}

static int
through_file(int seed)
{
  char name[FILE_NAME], data[600], again[600];
  int wrong = 0;

  snprintf(name, sizeof name, "stress-%d", seed);
  memset(data, 'a' + seed, sizeof data);
  int file = open(name, READ + WRITE + CREATE + TRUNCATE);
  for (int n = 0; n < 3; n++)
    wrong += write(file, data, sizeof data) != sizeof data;
  seek(file, 600);
  wrong += read(file, again, sizeof again) != sizeof again;
  wrong += memcmp(data, again, sizeof data) != 0;
  close(file);
  return wrong + (unlink(name) < 0);
}

static int
through_program(void)
{
  char *arguments[] = {"grep", "nothing", "/fruit", 0};
  int code;

  if (fork() == 0) {
    exec("/bin/grep", arguments);
    leave(2);
  }
  return wait(&code) < 0 || code != 1;
}

int
main(void)
{
  int code, wrong = 0;

  for (int n = 0; n < CHILDREN; n++)
    if (fork() == 0) {
      for (int round = 0; round < ROUNDS; round++)
        wrong += through_pipe(n) + through_file(n) + through_program();
      leave(wrong);
    }
  for (int n = 0; n < CHILDREN; n++)
    wrong += wait(&code) < 0 || code != 0;
  printf("stress: %d went wrong\n", wrong);
  return wrong;
}
