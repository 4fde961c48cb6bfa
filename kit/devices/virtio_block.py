"""The disk: a virtio block device. Virtio 1.2, 5.2.

A request is a 16-byte header (type, reserved, sector), the data, and one status byte. How the
driver cuts it into descriptors is up to it.
"""

from __future__ import annotations

import struct
from typing import Any, ClassVar

from kit.devices.device import BusError
from kit.devices.disk_image import SECTOR, DiskImage
from kit.devices.saved import Fields
from kit.devices.virtio import Chain, QueueError, VirtioDevice

__all__ = ["VirtioBlock"]

READ_ONLY, BLOCK_SIZE, FLUSH = 1 << 5, 1 << 6, 1 << 9

IN, OUT, FLUSH_REQUEST, GET_ID = 0, 1, 4, 8
BARRIER = 1 << 31  # a flag of very old drivers, ignored as in QEMU
OK, IO_ERROR, UNSUPPORTED = 0, 1, 2

HEADER = struct.Struct("<IIQ")
IDENTITY = b"vmm-kit-disk".ljust(20, b"\0")


class VirtioBlock(VirtioDevice):
    """Serves the sectors of `image`."""

    device_id = 2
    saved: ClassVar[Fields] = {**VirtioDevice.saved, "image": lambda value: isinstance(value, dict)}
    features = BLOCK_SIZE | FLUSH

    def __init__(
        self, image: DiskImage, slot: int = 0, *, legacy: bool = True, duration: int = 1000
    ) -> None:
        """`legacy` chooses the register layout; a request takes `duration` ticks."""
        self.image = image
        super().__init__(slot, legacy=legacy, duration=duration)
        self.name = "disk"

    def offered(self) -> int:
        """BLK_SIZE and FLUSH, and RO for a read-only image."""
        return super().offered() | (READ_ONLY if self.image.read_only else 0)

    def config(self) -> bytes:
        """capacity in sectors, and blk_size; the fields between them are not offered."""
        return struct.pack("<Q12xI", self.image.sectors, SECTOR)

    def serve(self, chain: Chain) -> int:
        """One request. Its status byte is the last byte that it lets the device write."""
        header = self._gather(chain.readable, HEADER.size)
        if len(header) < HEADER.size or not chain.writable:
            raise QueueError("a request without its header or its status byte")
        kind, _, sector = HEADER.unpack(header)
        status, written = self._do(kind & ~BARRIER, sector, chain)
        address, length = chain.writable[-1]
        self.host.write_bytes(address + length - 1, bytes((status,)))
        return written + 1

    def _do(self, kind: int, sector: int, chain: Chain) -> tuple[int, int]:
        """The status of a request, and how much data it has written into storage."""
        try:
            if kind == IN:
                return OK, self._read(sector, chain)
            if kind == OUT:
                self._write(sector, chain)
                return OK, 0
            if kind == GET_ID:
                return OK, self._scatter(_data_in(chain), IDENTITY)
            return (OK if kind == FLUSH_REQUEST else UNSUPPORTED), 0
        except (BusError, OSError, ValueError):
            return IO_ERROR, 0

    def _read(self, sector: int, chain: Chain) -> int:
        buffers = _data_in(chain)
        length = self._checked(sector, _total(buffers))
        return self._scatter(buffers, self.image.read(sector, length))

    def _write(self, sector: int, chain: Chain) -> None:
        length = self._checked(sector, _total(chain.readable) - HEADER.size)
        if self.image.read_only:
            raise ValueError("the disk is read-only")
        data = self._gather(chain.readable, HEADER.size + length)
        self.image.write(sector, data[HEADER.size :])

    def _checked(self, sector: int, length: int) -> int:
        if length % SECTOR or sector * SECTOR + length > self.image.size:
            raise ValueError("no whole sectors, or beyond the end of the disk")
        return length

    def _gather(self, buffers: list[tuple[int, int]], limit: int) -> bytes:
        """The first `limit` bytes that the buffers hold."""
        data = bytearray()
        for address, length in buffers:
            if len(data) >= limit:
                break
            data += self.host.read_bytes(address, min(length, limit - len(data)))
        return bytes(data)

    def _scatter(self, buffers: list[tuple[int, int]], data: bytes) -> int:
        """Fills the buffers with `data`; returns how many bytes they took."""
        done = 0
        for address, length in buffers:
            piece = data[done : done + length]
            self.host.write_bytes(address, piece)
            done += len(piece)
        return done

    def save(self) -> dict[str, Any]:
        """Registers, queue and the contents of the disk."""
        return super().save() | {"image": self.image.save()}

    def check(self, state: Any) -> None:
        """Raises KitError for a state that `save` cannot have made, or not of such a disk."""
        super().check(state)
        self.image.check(state["image"])

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `save` made, contents included (see `DiskImage.restore`)."""
        self.image.restore(state["image"])
        super().restore(state)


def _total(buffers: list[tuple[int, int]]) -> int:
    return sum(length for _, length in buffers)


def _data_in(chain: Chain) -> list[tuple[int, int]]:
    """The writable buffers without the status byte at their end."""
    *front, (address, length) = chain.writable
    return [*front, (address, length - 1)] if length > 1 else front
