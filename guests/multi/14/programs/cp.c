// Copies a file.

#include "user.h"

int
main(int argc, char **argv)
{
  char buffer[1024];
  int size;

  if (argc != 3) {
    complain("usage: cp OLD NEW\n");
    return 1;
  }
  int from = open(argv[1], READ);
  int to = from < 0 ? -1 : open(argv[2], WRITE + CREATE + TRUNCATE);
  if (to < 0) {
    complain("cp: %s: %s\n", argv[from < 0 ? 1 : 2], from < 0 ? "not found" : "cannot be written");
    return 1;
  }
  while ((size = read(from, buffer, sizeof buffer)) > 0)
    if (write_all(to, buffer, size) < 0) {
      complain("cp: the disk is full\n");
      return 1;
    }
  return size < 0;
}
