// Begins and ends many processes: as many at a time as there can be, and one after the other.

#include "user.h"

enum { ROUNDS = 5, FEW = 4, ALONE = 30 };

// Children until no more can be made; how many there were.
static int
fill_table(void)
{
  int count = 0, code, number;

  while ((number = fork()) >= 0) {
    if (number == 0) {
      sleep(2000);
      exit(count);
    }
    count++;
  }
  for (int n = 0; n < count; n++)
    if (wait(&code) < 0)
      return -1;
  return count;
}

int
main(int argc, char **argv)
{
  char *again[] = {"forks", "child", 0};
  int code, wrong = 0;

  if (argc > 1)
    return argv[1][0] == 'c' ? 42 : 1;
  for (int n = 0; n < ROUNDS; n++)
    wrong += fill_table() < FEW;
  for (int n = 0; n < ALONE; n++) {
    if (fork() == 0) {
      exec("forks", again);
      exec("/bin/forks", again);        // where it is in stage 14
      exit(1);
    }
    wrong += wait(&code) < 0 || code != 42;
  }
  printf("forks: %d went wrong\n", wrong);
  return wrong;
}
