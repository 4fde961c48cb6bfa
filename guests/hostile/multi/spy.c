// Tries to read all storage through the kernel, page by page, for a secret that somebody has.

#include "machine.h"
#include "secret.h"

enum { PAGE = 4096, MEMORY = 4 << 20 };

static uint32_t copy[PAGE / 4];

int
main(void)
{
  int won = 0, file = open("/seen", READ + WRITE + CREATE);

  for (uint32_t at = 0; at < MEMORY && won == 0; at += PAGE) {
    seek(file, 0);
    if (write(file, (void *)(RAM + at), PAGE) != PAGE)
      continue;
    seek(file, 0);
    read(file, copy, sizeof copy);
    won += find_secret(copy, sizeof copy);
  }
  unlink("/seen");
  return verdict("spy", won);
}
