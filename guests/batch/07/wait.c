// Waiting for a device: asleep, until it interrupts. This time is nobody's work: it is idle.

#include "monitor.h"

// What PLIC source a unit has: they follow each other, as the units' addresses do.
static int
source_of(uint32_t device)
{
  return IRQ_READER + (device - READER) / (PRINTER - READER);
}

// The interrupt is not taken, for MIE is 0; but it ends the WFI. It is on only meanwhile, and it is
// claimed afterwards, so that it does not end the next one, or a turn of a job.
void
wait_for(uint32_t device, uint32_t status)
{
  if (unit_status(device) & status)
    return;
  enum payer before = charge(IDLE);
  csr_set(mie, INTERRUPT_MEI);
  plic_enable(PLIC_MACHINE, source_of(device));
  unit_interrupts(device, true);
  while ((unit_status(device) & status) == 0)
    wait_for_interrupt();
  unit_interrupts(device, false);
  plic_complete(PLIC_MACHINE, plic_claim(PLIC_MACHINE));
  csr_clear(mie, INTERRUPT_MEI);
  charge(before);
}
