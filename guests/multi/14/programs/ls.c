// Lists directories: type, links, size, and name.

#include "user.h"

static void
print(const char *path, const char *name)
{
  struct information about;
  int file = open(path, READ);

  if (file < 0 || stat(file, &about) < 0)
    complain("ls: %s: not found\n", path);
  else
    printf("%c %3u %7u %s\n", about.type == TYPE_DIRECTORY ? 'd' : '-',
           about.links, about.size, name);
  close(file);
}

static int
list(const char *path)
{
  struct directory_entry entry;
  struct information about;
  char inner[128];
  int file = open(path, READ);

  if (file < 0 || stat(file, &about) < 0) {
    complain("ls: %s: not found\n", path);
    return 1;
  }
  if (about.type != TYPE_DIRECTORY)
    print(path, path);
  else
    while (read(file, &entry, sizeof entry) == sizeof entry)
      if (entry.inode != 0 && entry.name[0] != '.') {
        snprintf(inner, sizeof inner, "%s/%s", path, entry.name);
        print(inner, entry.name);
      }
  close(file);
  return 0;
}

int
main(int argc, char **argv)
{
  int failed = argc < 2 ? list(".") : 0;

  for (int n = 1; n < argc; n++)
    failed |= list(argv[n]);
  return failed;
}
