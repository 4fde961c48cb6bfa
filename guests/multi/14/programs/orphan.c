// Deletes a file that it has open: the file has no name any more, and is there until it is closed.

#include "user.h"

int
main(void)
{
  char text[8] = "";
  int file = open("orphan", READ + WRITE + CREATE);

  write(file, "still", 6);
  bool gone = unlink("orphan") == 0 && open("orphan", READ) < 0;
  seek(file, 0);
  bool there = read(file, text, sizeof text) == 6 && strcmp(text, "still") == 0;
  printf("orphan: %s there\n", gone && there ? "still" : "not");
  return !gone || !there;
}
