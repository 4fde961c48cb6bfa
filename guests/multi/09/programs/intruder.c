// Looks at what is not its own: by pointers that the kernel must refuse, and then by itself.

#include "user.h"

static const uint32_t foreign[] = {
  0x80000000, 0x80100000, 0x8011fffc, 0x8012fffd, 0x80130000, 0x10000000, 0xfffffffc,
};

static uint32_t own = 0x01020304;

int
main(void)
{
  for (int n = 0; n < sizeof foreign / sizeof foreign[0]; n++)
    printf("intruder: write from %x: %d\n", foreign[n], write(1, (void *)foreign[n], 4));
  printf("intruder: file 7: %d\n", write(7, &own, 4));
  *(volatile uint32_t *)0x80110000 = 0;
  printf("intruder: I am still here\n");
  return 1;
}
