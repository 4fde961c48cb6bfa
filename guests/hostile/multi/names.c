// Tries names that are too long, empty or strange, and directories that are not there any more.

#include "attack.h"

// A path of a stroke and so many letters.
static const char *
long_name(int length)
{
  static char name[400];

  memset(name, 'x', sizeof name);
  name[0] = '/';
  name[length + 1] = 0;
  return name;
}

static int
makes(const char *path)
{
  int file = open(path, WRITE + CREATE), made = mkdir(path) != -1;

  close(file);
  return (file >= 0) + made;
}

static int
deletes(const char *path)
{
  return (unlink(path) != -1) + (open(path, WRITE) != -1) + (open(path, TRUNCATE) != -1);
}

// In a directory that is deleted, as is the one that it was in.
static int
use_deleted(void)
{
  int won = 0, file;

  mkdir("/outer");
  mkdir("/outer/inner");
  chdir("/outer/inner");
  won += unlink("/outer") != -1;        // not empty
  won += unlink("/outer/inner") != 0;
  won += unlink("/outer") != 0;
  file = open("/next", WRITE + CREATE); // may get a number that was theirs
  won += makes("here") + makes("../there") + makes("./x");
  won += open("..", READ) != -1;
  won += chdir("..") != -1;
  won += chdir("../..") != -1;
  close(file);
  won += chdir("/") != 0;
  won += unlink("/next") != 0;
  return won;
}

int
main(void)
{
  static const int lengths[] = {28, 29, 78, 79, 80, 128, 390};
  int won = 0;

  for (int n = 0; n < sizeof lengths / sizeof lengths[0]; n++)
    won += makes(long_name(lengths[n]));
  won += makes("") + makes("/") + makes("//") + makes(".") + makes("..") + makes("/fruit/x");
  won += makes("/nothing/x") + makes("bin/sh/x");
  won += deletes("/") + deletes(".") + deletes("..") + deletes("/bin") + deletes("/../bin/..");
  won += link("/bin", "/also") != -1;
  won += link("/fruit", "/bin") != -1;
  won += link("/fruit", "/fruit") != -1;
  won += use_deleted();
  return verdict("names", won);
}
