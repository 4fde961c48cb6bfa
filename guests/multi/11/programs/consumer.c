// Takes the producer's numbers, and sees that none is missing.

#include "buffer.h"

int
main(void)
{
  int wrong = 0;

  semaphore(EMPTY, PLACES);
  semaphore(FULL, 0);
  semaphore(BUFFER, 1);
  for (int n = 1; n <= NUMBERS; n++) {
    down(FULL);
    down(BUFFER);
    wrong += buffer->numbers[buffer->taken++ % PLACES] != n;
    up(BUFFER);
    up(EMPTY);
  }
  printf("consumer: %d numbers taken, %d wrong\n", NUMBERS, wrong);
  return wrong;
}
