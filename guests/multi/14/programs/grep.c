// Prints the lines that contain a text.

#include "user.h"

static bool
contains(const char *line, const char *text)
{
  size_t length = strlen(text);

  for (; *line != 0; line++)
    if (strncmp(line, text, length) == 0)
      return true;
  return length == 0;
}

static bool
search(int file, const char *text)
{
  struct input input = {.file = file};
  char line[256];
  bool found = false;

  while (next_line(&input, line, sizeof line) > 0)
    if (contains(line, text)) {
      printf("%s", line);
      found = true;
    }
  return found;
}

int
main(int argc, char **argv)
{
  if (argc < 2) {
    complain("usage: grep TEXT [FILE ...]\n");
    return 2;
  }
  bool found = argc == 2 && search(0, argv[1]);
  for (int n = 2; n < argc; n++) {
    int file = open(argv[n], READ);
    if (file < 0)
      complain("grep: %s: not found\n", argv[n]);
    else
      found |= search(file, argv[1]);
    close(file);
  }
  return !found;
}
