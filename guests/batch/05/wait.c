// Waiting for a device: looking at it until it is ready.

#include "monitor.h"

void
wait_for(uint32_t device, uint32_t status)
{
  while ((unit_status(device) & status) == 0)
    ;
}
