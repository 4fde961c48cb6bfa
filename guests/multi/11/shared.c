// Storage that all programs share: a second gap in the fence, which stays open.

#include "shared.h"
#include "lib.h"
#include "machine.h"

void
share_storage(void)
{
  memset((void *)SHARED, 0, SHARED_SIZE);
  csr_write(pmpaddr1, SHARED >> 2 | ((SHARED_SIZE >> 3) - 1));
  csr_write(pmpcfg0, (PMP_NAPOT | PMP_R | PMP_W) << 8);
}
