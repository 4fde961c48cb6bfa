// The disk: a virtio block device. A request is a header, the data and a byte for its result, so it
// takes three descriptors: those from 3 * slot on. Requests are done in order.

#include "lib.h"
#include "machine.h"
#include "virtio.h"

enum { SLOTS = VIRTIO_SIZE / 3, FEATURE_FLUSH = 1 << 9 };

static struct virtio_queue queue;
static struct disk_request *waiting[SLOTS];     // by slot; 0 where it is free
static uint16_t seen;                           // the used index up to which we have looked
static uint32_t device;                         // the address of its registers

static uint32_t
find_disk(void)
{
  for (uint32_t at = VIRTIO; at < VIRTIO + VIRTIO_SLOTS * VIRTIO_STEP; at += VIRTIO_STEP)
    if (REG32(at + VIRTIO_MAGIC) == VIRTIO_MAGIC_VALUE && REG32(at + VIRTIO_DEVICE) == VIRTIO_BLOCK)
      return at;
  return 0;
}

static void
place_queue(bool legacy)
{
  REG32(device + VIRTIO_QUEUE) = 0;
  REG32(device + VIRTIO_QUEUE_SIZE) = VIRTIO_SIZE;
  if (legacy) {
    REG32(device + VIRTIO_PAGE_SIZE) = 4096;
    REG32(device + VIRTIO_QUEUE_ALIGN) = 4096;
    REG32(device + VIRTIO_QUEUE_PAGE) = (uint32_t)&queue / 4096;
  } else {
    REG32(device + VIRTIO_DESCRIPTORS) = (uint32_t)queue.descriptors;
    REG32(device + VIRTIO_AVAILABLE) = (uint32_t)&queue.available;
    REG32(device + VIRTIO_USED) = (uint32_t)&queue.used;
    REG32(device + VIRTIO_QUEUE_READY) = 1;
  }
}

int
disk_open(void)
{
  uint32_t status = VIRTIO_ACKNOWLEDGED | VIRTIO_DRIVER;

  device = find_disk();
  if (device == 0)
    return 0;
  bool legacy = REG32(device + VIRTIO_VERSION) == 1;
  memset(&queue, 0, sizeof queue);
  memset(waiting, 0, sizeof waiting);
  seen = 0;

  REG32(device + VIRTIO_STATUS) = 0;            // as after power-on
  REG32(device + VIRTIO_STATUS) = status;
  REG32(device + VIRTIO_FEATURES_SELECT) = 0;
  REG32(device + VIRTIO_ACCEPTED_SELECT) = 0;
  REG32(device + VIRTIO_ACCEPTED) = REG32(device + VIRTIO_FEATURES) & FEATURE_FLUSH;
  if (!legacy) {
    REG32(device + VIRTIO_ACCEPTED_SELECT) = 1;
    REG32(device + VIRTIO_ACCEPTED) = 1;        // bit 32: the modern layout
    REG32(device + VIRTIO_STATUS) = status |= VIRTIO_FEATURES_OK;
    if ((REG32(device + VIRTIO_STATUS) & VIRTIO_FEATURES_OK) == 0)
      return 0;                                 // the device wants features that we do not have
  }
  place_queue(legacy);
  REG32(device + VIRTIO_STATUS) = status | VIRTIO_DRIVER_OK;
  return IRQ_VIRTIO + (device - VIRTIO) / VIRTIO_STEP;
}

uint32_t
disk_sectors(void)
{
  return REG32(device + VIRTIO_CONFIG);
}

static void
describe(int number, volatile void *start, uint32_t length, uint16_t flags)
{
  queue.descriptors[number] =
    (struct virtio_descriptor){(uint32_t)start, length, flags, number + 1};
}

bool
disk_start(struct disk_request *request)
{
  int slot = 0;
  uint16_t direction = request->type == DISK_READ ? VIRTIO_DEVICE_WRITES : 0;

  while (slot < SLOTS && waiting[slot] != 0)
    slot++;
  if (slot == SLOTS)
    return false;
  waiting[slot] = request;
  request->done = false;
  request->reserved = 0;
  describe(3 * slot, request, 16, VIRTIO_NEXT);
  describe(3 * slot + 1, request->buffer, request->size, VIRTIO_NEXT | direction);
  describe(3 * slot + 2, &request->result, 1, VIRTIO_DEVICE_WRITES);
  if (request->size == 0)
    queue.descriptors[3 * slot].next = 3 * slot + 2;    // a flush has no data

  queue.available.ring[queue.available.index % VIRTIO_SIZE] = 3 * slot;
  fence();                                      // the device must not see the index before the rest
  queue.available.index++;
  fence();
  REG32(device + VIRTIO_NOTIFY) = 0;
  return true;
}

struct disk_request *
disk_finished(void)
{
  REG32(device + VIRTIO_ACKNOWLEDGE) = REG32(device + VIRTIO_INTERRUPT);
  fence();
  if (*(volatile uint16_t *)&queue.used.index == seen)
    return 0;
  uint32_t slot = queue.used.ring[seen++ % VIRTIO_SIZE].head / 3;
  struct disk_request *request = waiting[slot];
  waiting[slot] = 0;
  request->done = true;
  return request;
}

bool
disk_do(enum disk_command type, uint32_t sector, void *buffer, uint32_t count)
{
  struct disk_request request = {
    .type = type, .sector = sector, .buffer = buffer, .size = count * SECTOR_SIZE};

  while (!disk_start(&request))
    disk_finished();
  while (!request.done)
    disk_finished();
  return request.result == 0;
}
