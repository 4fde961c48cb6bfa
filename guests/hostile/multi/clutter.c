// Tries to fill the disk with files, names and directories; and takes all away again.

#include "attack.h"

enum { MOST = 400, DEEP = 60 };

static const char *
name_of(int n)
{
  static char name[FILE_NAME];

  snprintf(name, sizeof name, "/clutter/%d", n);
  return name;
}

static int
make_files(void)
{
  int count = 0, file;

  while (count < MOST && (file = open(name_of(count), WRITE + CREATE)) >= 0) {
    close(file);
    count++;
  }
  return count;
}

// A path like a/a/a..., and then what is in there from its end on.
static int
go_deep(void)
{
  int depth = 0, won = 0;

  chdir("/clutter");
  for (; depth < DEEP && mkdir("a") == 0; depth++)
    won += chdir("a") != 0;
  for (; depth > 0; depth--)
    won += chdir("..") != 0 || unlink("a") != 0;
  won += chdir("/") != 0;
  return won;
}

int
main(void)
{
  int won = mkdir("/clutter") != 0, count;

  won += go_deep();
  count = make_files();
  won += count == MOST;                 // there are not so many inodes
  while (count > 0)
    won += unlink(name_of(--count)) != 0;
  won += unlink("/clutter") != 0;
  return verdict("clutter", won);
}
