// Tries to use files that are not open: numbers that never were any, and closed ones, twice.

#include "attack.h"

static int
use(int file)
{
  struct information about;
  char c = 0;

  return (read(file, &c, 1) != -1) + (write(file, &c, 1) != -1) + (seek(file, 0) != -1) +
         (stat(file, &about) != -1) + (dup(file) != -1) + (close(file) != -1);
}

int
main(void)
{
  static const int never[] = {3, 9, 10, 11, 1000, 0x7fffffff, -1, -2, (int)0x80000000};
  int won = 0, ends[2], again;
  char c = 'x';

  for (int n = 0; n < sizeof never / sizeof never[0]; n++)
    won += use(never[n]);
  pipe(ends);
  again = dup(ends[1]);
  close(ends[1]);
  won += use(ends[1]);
  won += write(again, &c, 1) != 1;      // this one is still open, however often the other is closed
  won += write(ends[0], &c, 1) != -1;   // and each end is good for one thing only
  won += read(again, &c, 1) != -1;
  close(ends[0]);
  won += write(again, &c, 1) != -1;     // nobody can read it any more
  return verdict("closed", won);
}
