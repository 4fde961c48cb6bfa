// Tries to write into a directory, so that its names lead wherever it likes.

#include "attack.h"

int
main(void)
{
  static const struct directory_entry wild[4] = {{5000, "wild"}, {200, "free"}};
  static const char *const names[] = {"/", "/bin", "."};
  int won = 0;

  for (int n = 0; n < 3; n++)
    for (int mode = WRITE; mode < 16; mode++) {
      int file = (mode & (WRITE + TRUNCATE)) != 0 ? open(names[n], mode) : -1;
      won += file >= 0;
      won += file >= 0 && write(file, wild, sizeof wild) > 0;
      close(file);
    }
  return verdict("scribbler", won);
}
