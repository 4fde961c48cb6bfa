// Makes numbers for the consumer, faster than that one takes them.

#include "buffer.h"

int
main(void)
{
  semaphore(EMPTY, PLACES);
  semaphore(FULL, 0);
  semaphore(BUFFER, 1);
  for (int n = 1; n <= NUMBERS; n++) {
    down(EMPTY);
    down(BUFFER);
    buffer->numbers[buffer->put++ % PLACES] = n;
    up(BUFFER);
    up(FULL);
  }
  printf("producer: %d numbers made\n", NUMBERS);
  return 0;
}
