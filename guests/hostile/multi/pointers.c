// Tries bad pointers with every service: to nothing, to the kernel, across the end, wrapping round.

#include "attack.h"
#include "machine.h"

#define UNUSED 0x60000000

static const uint32_t bad[] = {
  0, 1, FINISHER, CLINT, UART, UNUSED, USER_STACK - 2, USER_STACK, RAM + 0x100000, 0xfffff000,
  0xfffffffe,
};

static int file, ends[2];

// For a pointer that the kernel is to read from.
static int
reads(void *p)
{
  char *one[] = {p, 0};
  int won = 0;

  won += write(1, p, 4) != -1;
  won += write(file, p, 4) != -1;
  won += write(ends[1], p, 4) != -1;
  won += send(7, p, 4) != -1;
  won += open(p, READ) != -1;
  won += exec(p, one) != -1;
  won += exec("/bin/echo", p) != -1;
  won += p != 0 && exec("/bin/echo", one) != -1;      // 0 would be the end of the list
  won += mkdir(p) != -1;
  won += chdir(p) != -1;
  won += link(p, "made") != -1;
  won += link("/fruit", p) != -1;
  won += unlink(p) != -1;
  won += lock(p, 4) != -1;
  return won;
}

// For one that it is to write to. There is always something that it could write.
static int
writes(void *p)
{
  int won = 0;

  seek(file, 0);
  won += read(file, p, 4) != -1;
  write(ends[1], "pipe", 4);
  won += read(ends[0], p, 4) != -1;
  won += receive(0, p, 4) != -1;
  won += status(0, p) != -1;
  won += stat(file, p) != -1;
  won += pipe(p) != -1;
  if (fork() == 0)
    leave(0);
  won += p != 0 && wait(p) != -1;
  while (wait(0) > 0)
    ;
  return won;
}

// Ranges that begin well, and are so long that their end wraps round.
static int
wraps(void)
{
  static char buffer[16];
  int won = 0;

  won += lock(buffer, 0xffffffff) != -1;
  won += lock(buffer, 0x80000000) != -1;
  won += write(file, buffer, 0xffffffff) != -1;
  won += send(7, buffer, 0xffffffff) != -1;
  won += grow(0xffffffff) != NOWHERE;
  won += grow(0x80000000) != NOWHERE;
  return won;
}

int
main(void)
{
  int won = 0;

  memset((char *)USER_STACK - 2, 'x', 2);       // no text ends there
  file = open("attacked", READ + WRITE + CREATE + TRUNCATE);
  write(file, "something", 9);
  pipe(ends);
  send(0, "something", 9);
  for (int n = 0; n < sizeof bad / sizeof bad[0]; n++)
    won += reads((void *)bad[n]) + writes((void *)bad[n]);
  won += writes((void *)main);          // which it may read
  won += wraps();
  receive(0, ends, 0);
  unlink("attacked");
  return verdict("pointers", won);
}
