// Waits for records that come slowly: a program that hardly needs the processor.

#include "user.h"

enum { RECORDS = 6, TICKS = 30000 };

int
main(void)
{
  for (int n = 1; n <= RECORDS; n++) {
    sleep(TICKS);
    printf("wait: record %d of %d\n", n, RECORDS);
  }
  return 0;
}
