// Tries to receive the same messages twice: many receivers, whose buffers have left storage.

#include "attack.h"

enum { RECEIVERS = 6, MESSAGES = 120, PAGES = 8, PAGE = 4096, END = 'e' };

static char buffers[PAGES][PAGE];

static int
count_messages(void)
{
  int count = 0;

  for (int n = 0; n < PAGES; n++)
    buffers[n][0] = 1;
  for (;; count++) {
    char *buffer = buffers[count % PAGES];
    receive(3, buffer, 1);
    if (count == 2 * MESSAGES || *buffer == END)
      return count;
  }
}

int
main(void)
{
  int code, sum = 0;

  for (int n = 0; n < RECEIVERS; n++)
    if (fork() == 0)
      leave(count_messages());
  for (int n = 0; n < MESSAGES; n++)
    send(3, "m", 1);
  for (int n = 0; n < RECEIVERS; n++)
    send(3, "e", 1);
  while (wait(&code) > 0)
    sum += code;
  return verdict("letters", sum != MESSAGES);
}
