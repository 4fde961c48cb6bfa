// Counts lines, words and characters.

#include "user.h"

static void
count(int file, const char *name)
{
  struct input input = {.file = file};
  int c, lines = 0, words = 0, characters = 0;
  bool in_word = false;

  for (; (c = next_char(&input)) >= 0; characters++) {
    bool is_blank = c == ' ' || c == '\n';
    lines += c == '\n';
    words += !is_blank && !in_word;
    in_word = !is_blank;
  }
  printf("%d %d %d%s%s\n", lines, words, characters, *name != 0 ? " " : "", name);
}

int
main(int argc, char **argv)
{
  int failed = 0;

  if (argc < 2)
    count(0, "");
  for (int n = 1; n < argc; n++) {
    int file = open(argv[n], READ);
    if (file < 0) {
      complain("wc: %s: not found\n", argv[n]);
      failed = 1;
    } else
      count(file, argv[n]);
    close(file);
  }
  return failed;
}
