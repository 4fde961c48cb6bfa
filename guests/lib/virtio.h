// The virtio-mmio transport, in both of its register layouts, and its queue.
// Virtio 1.2, sections 2.7 and 4.2.
#pragma once

#include <stdint.h>

enum {                          // offsets of the registers
  VIRTIO_MAGIC = 0x000,
  VIRTIO_VERSION = 0x004,       // 1: the legacy layout, 2: the modern one
  VIRTIO_DEVICE = 0x008,
  VIRTIO_FEATURES = 0x010,      // what the device offers
  VIRTIO_FEATURES_SELECT = 0x014,
  VIRTIO_ACCEPTED = 0x020,      // what the driver takes of it
  VIRTIO_ACCEPTED_SELECT = 0x024,
  VIRTIO_PAGE_SIZE = 0x028,     // legacy
  VIRTIO_QUEUE = 0x030,
  VIRTIO_QUEUE_SIZE = 0x038,
  VIRTIO_QUEUE_ALIGN = 0x03c,   // legacy
  VIRTIO_QUEUE_PAGE = 0x040,    // legacy
  VIRTIO_QUEUE_READY = 0x044,
  VIRTIO_NOTIFY = 0x050,
  VIRTIO_INTERRUPT = 0x060,
  VIRTIO_ACKNOWLEDGE = 0x064,
  VIRTIO_STATUS = 0x070,
  VIRTIO_DESCRIPTORS = 0x080,   // modern, like the next two
  VIRTIO_AVAILABLE = 0x090,
  VIRTIO_USED = 0x0a0,
  VIRTIO_CONFIG = 0x100,
};

#define VIRTIO_MAGIC_VALUE 0x74726976
#define VIRTIO_BLOCK 2          // the device number of a disk

enum {                          // bits of the status, set one after the other
  VIRTIO_ACKNOWLEDGED = 1,
  VIRTIO_DRIVER = 2,
  VIRTIO_DRIVER_OK = 4,
  VIRTIO_FEATURES_OK = 8,
};

// A piece of storage that belongs to a request; `next` counts where NEXT is set.
struct virtio_descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags;
  uint16_t next;
};

enum { VIRTIO_NEXT = 1, VIRTIO_DEVICE_WRITES = 2 };

// Both indices count for ever; a place in a ring is the index modulo the size. The driver adds to
// `available`, the device to `used`. The alignment is what makes the legacy layout.
#define VIRTIO_SIZE 32

struct virtio_queue {
  struct virtio_descriptor descriptors[VIRTIO_SIZE];
  struct {
    uint16_t flags, index, ring[VIRTIO_SIZE];
  } available;
  struct {
    uint16_t flags, index;
    struct {
      uint32_t head, written;
    } ring[VIRTIO_SIZE];
  } used __attribute__((aligned(4096)));
} __attribute__((aligned(4096)));
