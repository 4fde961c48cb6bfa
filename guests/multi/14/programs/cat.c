// Copies files to the output; without a name, the input.

#include "user.h"

static int
copy(int file)
{
  char buffer[1024];
  int size;

  while ((size = read(file, buffer, sizeof buffer)) > 0)
    if (write_all(1, buffer, size) < 0)
      return 1;
  return size < 0;
}

int
main(int argc, char **argv)
{
  int failed = argc < 2 ? copy(0) : 0;

  for (int n = 1; n < argc; n++) {
    int file = open(argv[n], READ);
    if (file < 0)
      complain("cat: %s: not found\n", argv[n]);
    failed |= file < 0 || copy(file);
    close(file);
  }
  return failed;
}
