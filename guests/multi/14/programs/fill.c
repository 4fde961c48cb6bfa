// Writes a file until the disk is full, or the file as long as a file can be.

#include "user.h"

int
main(void)
{
  static char block[1024];
  int file = open("full", WRITE + CREATE + TRUNCATE);
  uint32_t written = 0;
  int n;

  do {
    memset(block, written / sizeof block % 251, sizeof block);
    n = write(file, block, sizeof block);
    written += n > 0 ? n : 0;
  } while (n == sizeof block);
  printf("fill: full after %u bytes\n", written);
  return 0;
}
