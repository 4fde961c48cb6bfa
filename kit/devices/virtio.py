"""The virtio-mmio transport, and one split virtqueue.

Both register layouts are here: the modern one (version 2; Virtio 1.2, 4.2.2) and the legacy one
(version 1; 4.2.4), which QEMU's `virt` board shows unless told otherwise. Registers of the other
layout read as zero and ignore writes. Offered features: neither indirect descriptors nor event
indices.

A driver that breaks the rules of the queue gets the device status bit DEVICE_NEEDS_RESET and a
configuration interrupt; nothing more happens until it resets the device.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, ClassVar

from kit.devices.device import BusError, Device, Host
from kit.devices.saved import TIME, Fields, bits, flag, maybe, number, power_of_two, record, word

__all__ = ["Chain", "EmptySlot", "Queue", "QueueError", "VirtioDevice"]

MAGIC, VERSION, DEVICE_ID, VENDOR_ID = 0x000, 0x004, 0x008, 0x00C
DEVICE_FEATURES, DEVICE_FEATURES_SEL = 0x010, 0x014
DRIVER_FEATURES, DRIVER_FEATURES_SEL = 0x020, 0x024
GUEST_PAGE_SIZE = 0x028
QUEUE_SEL, QUEUE_NUM_MAX, QUEUE_NUM = 0x030, 0x034, 0x038
QUEUE_ALIGN, QUEUE_PFN, QUEUE_READY, QUEUE_NOTIFY = 0x03C, 0x040, 0x044, 0x050
INTERRUPT_STATUS, INTERRUPT_ACK, STATUS = 0x060, 0x064, 0x070
QUEUE_DESC, QUEUE_DRIVER, QUEUE_DEVICE = 0x080, 0x090, 0x0A0
CONFIG_GENERATION, CONFIG, WINDOW = 0x0FC, 0x100, 0x200

MAGIC_VALUE = 0x74726976
VENDOR_VALUE = 0x554D4551  # "QEMU": guests for its board check it

FEATURES_OK, DRIVER_OK, NEEDS_RESET = 0x08, 0x04, 0x40
USED_BUFFER, CONFIGURATION_CHANGE = 1, 2
VERSION_1 = 1 << 32

QUEUE_SIZE_MAX = 1024
QUEUE_SIZE_DEFAULT = 256
DESCRIPTOR_NEXT, DESCRIPTOR_WRITE, DESCRIPTOR_INDIRECT = 1, 2, 4
NO_INTERRUPT = 1
WORD = 0xFFFFFFFF


class QueueError(Exception):
    """The driver broke the rules of the queue."""


@dataclass(frozen=True)
class Chain:
    """A request: `head` is its first descriptor, the lists are (address, length) of its buffers."""

    head: int
    readable: list[tuple[int, int]]
    writable: list[tuple[int, int]]


class EmptySlot(Device):
    """A transport without a device: magic, version and vendor are there, the device number is 0."""

    def __init__(self, slot: int, *, legacy: bool = True) -> None:
        """`slot` counts from 0; it interrupts as source `slot` + 1, or would."""
        self.name = f"virtio{slot}"
        self.irq = slot + 1
        self.legacy = legacy

    def accepts(self, offset: int, size: int) -> bool:
        """Any size, in the first 512 bytes of the window."""
        return 0 <= offset < WINDOW

    def read(self, offset: int, size: int) -> int:
        """The three registers that say "nothing here"."""
        known = {MAGIC: MAGIC_VALUE, VERSION: 1 if self.legacy else 2, VENDOR_ID: VENDOR_VALUE}
        return known.get(offset, 0) if size == 4 else 0


class Queue:
    """A split virtqueue in guest storage. Virtio 1.2, 2.7."""

    def __init__(self) -> None:
        self.size = QUEUE_SIZE_DEFAULT
        self.ready = False
        self.descriptors = self.available = self.used = 0  # guest-physical addresses
        self.next_available = self.next_used = 0  # free-running, 16 bits

    def place_legacy(self, base: int, align: int) -> None:
        """Puts the three parts where the legacy layout has them, from `base` on."""
        self.descriptors = base
        self.available = base + 16 * self.size
        end = self.available + 6 + 2 * self.size
        self.used = (end + align - 1) // align * align
        self.ready = base != 0

    def waiting(self, host: Host) -> int:
        """How many requests wait. Raises QueueError if more than fit, or BusError."""
        (index,) = struct.unpack("<H", host.read_bytes(self.available + 2, 2))
        waiting: int = (index - self.next_available) & 0xFFFF
        if waiting > self.size:
            raise QueueError("more requests than the queue can hold")
        return waiting

    def take(self, host: Host) -> Chain:
        """The next request. Raises QueueError or BusError if it is nonsense."""
        slot = self.available + 4 + 2 * (self.next_available % self.size)
        (head,) = struct.unpack("<H", host.read_bytes(slot, 2))
        return self._chain(host, head)

    def _chain(self, host: Host, head: int) -> Chain:
        chain = Chain(head, [], [])
        index = head
        for _ in range(self.size):
            if index >= self.size:
                raise QueueError("descriptor number out of range")
            address, length, flags, following = struct.unpack(
                "<QIHH", host.read_bytes(self.descriptors + 16 * index, 16)
            )
            if flags & DESCRIPTOR_INDIRECT or not length:
                raise QueueError("indirect descriptor, or an empty buffer")
            if flags & DESCRIPTOR_WRITE:
                chain.writable.append((address, length))
            elif chain.writable:
                raise QueueError("a readable buffer after a writable one")
            else:
                chain.readable.append((address, length))
            if not flags & DESCRIPTOR_NEXT:
                return chain
            index = following
        raise QueueError("the descriptors form a loop")

    def finish(self, host: Host, chain: Chain, written: int) -> bool:
        """Gives a request back; says whether the driver wants an interrupt for it."""
        slot = self.used + 4 + 8 * (self.next_used % self.size)
        host.write_bytes(slot, struct.pack("<II", chain.head, written))
        self.next_available = (self.next_available + 1) & 0xFFFF
        self.next_used = (self.next_used + 1) & 0xFFFF
        host.write_bytes(self.used + 2, struct.pack("<H", self.next_used))
        (flags,) = struct.unpack("<H", host.read_bytes(self.available, 2))
        return not flags & NO_INTERRUPT


_QUEUE: Fields = {
    "size": number(1, QUEUE_SIZE_MAX),
    "ready": flag,
    **dict.fromkeys(("descriptors", "available", "used"), word(65)),
    **dict.fromkeys(("next_available", "next_used"), word(16)),
}


class VirtioDevice(EmptySlot):
    """A device with one queue behind the transport.

    A subclass sets `device_id` and `features` and defines `serve` and `config`.
    """

    device_id: int
    features: int
    saved: ClassVar[Fields] = {
        "status": word(8),
        "interrupt_status": bits(USED_BUFFER | CONFIGURATION_CHANGE),
        "device_features_sel": word(1),
        "driver_features_sel": word(1),
        "driver_features": word(64),
        "page_size": power_of_two(32),
        "align": power_of_two(32),
        "queue_sel": word(32),
        "due": maybe(TIME),
        "queue": record(_QUEUE),
    }

    def __init__(self, slot: int, *, legacy: bool = True, duration: int = 1000) -> None:
        """Each request takes `duration` ticks of mtime, one after the other."""
        super().__init__(slot, legacy=legacy)
        self.duration = duration
        self.reset()

    def reset(self) -> None:
        """What writing 0 to STATUS does as well; requests under way are forgotten."""
        self.status = 0
        self.interrupt_status = 0
        self.device_features_sel = self.driver_features_sel = 0
        self.driver_features = 0
        self.page_size = self.align = 4096
        self.queue_sel = 0
        self.queue = Queue()
        self.due: int | None = None

    def serve(self, chain: Chain) -> int:
        """Does one request; returns the number of bytes written into its buffers.

        May raise QueueError or BusError: the device then needs a reset.
        """
        raise NotImplementedError

    def config(self) -> bytes:
        """The device's configuration space."""
        return b""

    def offered(self) -> int:
        """The feature bits offered in this layout."""
        return self.features if self.legacy else self.features | VERSION_1

    # Reading

    def read(self, offset: int, size: int) -> int:
        """A register, or a piece of the configuration space."""
        if offset >= CONFIG:
            at = offset - CONFIG
            return int.from_bytes(self.config()[at : at + size], "little")
        if size != 4:
            return 0
        known = super().read(offset, size)
        return known or self._read_common(offset) or self._read_queue(offset)

    def _read_common(self, offset: int) -> int:
        if offset == DEVICE_ID:
            return self.device_id
        if offset == DEVICE_FEATURES:
            return (self.offered() >> (32 * self.device_features_sel)) & WORD
        if offset == INTERRUPT_STATUS:
            return self.interrupt_status
        if offset == STATUS:
            return self.status
        return 0

    def _read_queue(self, offset: int) -> int:
        if self.queue_sel != 0:
            return 0
        if offset == QUEUE_NUM_MAX:
            return QUEUE_SIZE_MAX
        if offset == QUEUE_PFN and self.legacy:
            return self.queue.descriptors // self.page_size
        if offset == QUEUE_READY and not self.legacy:
            return int(self.queue.ready)
        return 0

    # Writing

    def write(self, offset: int, size: int, value: int) -> None:
        """A register; the configuration space cannot be written."""
        if size != 4 or offset >= CONFIG:
            return
        if offset == DEVICE_FEATURES_SEL:
            self.device_features_sel = int(value != 0)
        elif offset == DRIVER_FEATURES_SEL:
            self.driver_features_sel = int(value != 0)
        elif offset == DRIVER_FEATURES:
            self._choose_features(value)
        elif offset == INTERRUPT_ACK:
            self.interrupt_status &= ~value
        elif offset == STATUS:
            self._set_status(value & 0xFF)
        elif offset == QUEUE_SEL:
            self.queue_sel = value
        elif offset == QUEUE_NOTIFY:
            self._notify(value)
        elif self.queue_sel == 0:
            self._write_queue(offset, value)

    def _choose_features(self, value: int) -> None:
        shift = 32 * self.driver_features_sel
        self.driver_features = (self.driver_features & ~(WORD << shift)) | value << shift

    def _set_status(self, value: int) -> None:
        if value == 0:
            self.reset()
            return
        if value & FEATURES_OK and self.driver_features & ~self.offered():
            value &= ~FEATURES_OK
        self.status = value & ~NEEDS_RESET | self.status & NEEDS_RESET

    def _write_queue(self, offset: int, value: int) -> None:
        queue = self.queue
        if offset == QUEUE_NUM:
            if 0 < value <= QUEUE_SIZE_MAX:
                queue.size = value
        elif self.legacy:
            self._write_legacy(offset, value)
        elif offset == QUEUE_READY:
            queue.ready = bool(value & 1)
        elif offset & ~4 == QUEUE_DESC:
            queue.descriptors = _with_half(queue.descriptors, offset, value)
        elif offset & ~4 == QUEUE_DRIVER:
            queue.available = _with_half(queue.available, offset, value)
        elif offset & ~4 == QUEUE_DEVICE:
            queue.used = _with_half(queue.used, offset, value)

    def _write_legacy(self, offset: int, value: int) -> None:
        if offset == GUEST_PAGE_SIZE and _is_power_of_two(value):
            self.page_size = value
        elif offset == QUEUE_ALIGN and _is_power_of_two(value):
            self.align = value
        elif offset == QUEUE_PFN:
            if value == 0:
                self.reset()
            else:
                self.queue.place_legacy(value * self.page_size, self.align)

    # Working

    def _notify(self, queue_number: int) -> None:
        # Drivers of the legacy layout use the queue before they set DRIVER_OK.
        started = self.legacy or self.status & DRIVER_OK
        idle = self.due is None and not self.status & NEEDS_RESET
        if queue_number == 0 and self.queue.ready and started and idle:
            self.due = self.host.now + self.duration

    def next_event(self) -> int | None:
        """When the request under way is done."""
        return self.due

    def advance(self, now: int) -> None:
        """Does one request, if it is time: an event stays short, whatever the guest asks."""
        if self.due is None or self.due > now:
            return
        due = None
        try:
            if self.queue.waiting(self.host):
                self._do_one()
            if self.queue.waiting(self.host):
                due = now + self.duration
        except (QueueError, BusError):
            self.status |= NEEDS_RESET
            self.interrupt_status |= CONFIGURATION_CHANGE
        self.due = due

    def _do_one(self) -> None:
        chain = self.queue.take(self.host)
        written = self.serve(chain)
        if self.queue.finish(self.host, chain, written):
            self.interrupt_status |= USED_BUFFER

    def time_moved(self, delta: int) -> None:
        """Requests under way take as long as they would have."""
        if self.due is not None:
            self.due += delta

    def interrupt(self) -> bool:
        """Whether INTERRUPT_STATUS has any bit set."""
        return self.interrupt_status != 0

    def save(self) -> dict[str, Any]:
        """Every register and the queue's position; subclasses add their medium."""
        state = {name: getattr(self, name) for name in VirtioDevice.saved if name != "queue"}
        return state | {"queue": dict(vars(self.queue))}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `save` made."""
        for name in VirtioDevice.saved.keys() - {"queue"}:
            setattr(self, name, state[name])
        for name in vars(self.queue):
            setattr(self.queue, name, state["queue"][name])


def _with_half(value: int, offset: int, half: int) -> int:
    shift = 8 * (offset & 4)
    return (value & ~(WORD << shift)) | half << shift


def _is_power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0
