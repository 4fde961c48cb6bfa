// The disk, for processes. An error of the disk is the end: what it holds is all that there is.

#include "disk_wait.h"
#include "machine.h"
#include "process.h"
#include "schedule.h"

static const char room;                 // the channel of who waits until the disk takes one more

void
disk_begin(void)
{
  int source = disk_open();

  if (source == 0)
    panic("there is no disk");
  plic_enable(PLIC_SUPERVISOR, source);
}

void
disk_wait(enum disk_command type, uint32_t sector, void *buffer, uint32_t count)
{
  struct disk_request request = {
    .type = type, .sector = sector, .buffer = buffer, .size = count * SECTOR_SIZE};

  hold();                       // the device writes into this request, on this stack
  while (!disk_start(&request))
    sleep(&room);
  while (!request.done)
    sleep(&request);
  if (request.result != 0)
    panic("sector %u: the disk reports an error", sector);
  let_go();
}

void
disk_interrupt(void)
{
  struct disk_request *request;

  while ((request = disk_finished()) != 0) {
    wake(request);
    wake(&room);
  }
}
