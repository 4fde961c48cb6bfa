"""Snapshots: a machine's state in pieces, which snapshots of one run share as far as they can.

What a device has put out (paper, cards, console output) and what is on a disk is kept in pieces,
too. So a snapshot costs as much storage as has changed since the one before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat, zip_longest
from typing import Any

from kit.control.virtual_machine import VirtualMachine
from kit.devices.disk_image import SECTOR, DiskImage
from kit.devices.virtio_block import VirtioBlock
from kit.machine.board import RAM_BASE
from kit.machine.bus import PAGE
from kit.machine.computer import Computer

__all__ = ["RECORDS", "Journal", "Picture", "lasting", "take_picture"]

RECORDS = {"uart": "output", "printer": "paper", "punch": "cards"}
"""The devices that put something out, and the attribute that has all of it."""

_TRANSIENT = ("instruction", "next_pc", "completed")
"""Words of a hart that only tell of the last step, and that a virtual machine need not have."""

_PIECE = 8
"""Sectors of a disk in one piece."""
_ITEMS = 256
_ZERO = bytes(PAGE)
_BASIC, _ITEM_BYTES = 20_000, 120
"""About how many bytes a snapshot's registers take, and a line of paper."""

Pieces = tuple[Any, ...]


class Journal(DiskImage):
    """A disk that knows which of its pieces have been written since its last snapshot."""

    def __init__(self, inner: DiskImage) -> None:
        self.inner = inner
        self.name, self.read_only, self.sectors = inner.name, inner.read_only, inner.sectors
        self._pieces: list[bytes] | None = None
        self._written: set[int] = set()

    def read(self, sector: int, length: int) -> bytes:
        """As `DiskImage.read`."""
        return self.inner.read(sector, length)

    def write(self, sector: int, data: bytes) -> None:
        """As `DiskImage.write`."""
        last = sector + (len(data) - 1) // SECTOR
        self._written.update(range(sector // _PIECE, last // _PIECE + 1))
        self.inner.write(sector, data)

    def close(self) -> None:
        """As `DiskImage.close`."""
        self.inner.close()

    def save(self) -> dict[str, Any]:
        """As `DiskImage.save`."""
        return self.inner.save()

    def check(self, state: Any) -> None:
        """As `DiskImage.check`."""
        self.inner.check(state)

    def restore(self, state: dict[str, Any]) -> None:
        """As `DiskImage.restore`; all of it may have changed."""
        self._pieces = None
        self.inner.restore(state)

    def pieces(self) -> Pieces:
        """Its contents now."""
        if self._pieces is None:
            self._pieces = [b""] * -(-self.sectors // _PIECE)
            self._written = set(range(len(self._pieces)))
        for number in self._written:
            first = number * _PIECE
            count = min(_PIECE, self.sectors - first)
            self._pieces[number] = self.inner.read(first, count * SECTOR)
        self._written = set()
        return tuple(self._pieces)

    def put_back(self, wanted: Pieces) -> None:
        """Gives it the contents that `pieces` returned earlier. Raises OSError."""
        now = self.pieces()
        for number, piece in enumerate(wanted):
            if now[number] is not piece and now[number] != piece:
                self.inner.write(number * _PIECE, piece)
                self._written.add(number)


class _NoImage:
    """Stands in for a disk's contents, which are kept elsewhere."""

    def save(self) -> dict[str, Any]:
        return {}

    def check(self, state: Any) -> None:
        pass

    def restore(self, state: dict[str, Any]) -> None:
        pass


@dataclass(frozen=True)
class Picture:
    """The state of a machine."""

    steps: int
    hart: dict[str, Any]
    devices: dict[str, Any]
    storage: Pieces
    records: dict[str, Pieces]
    disk: Pieces

    def put_back(self, machine: Computer) -> None:
        """Makes this the state of `machine`. Raises OSError where a disk's file cannot be written.

        Listeners hear nothing.
        """
        start, now = RAM_BASE, _storage(machine)
        for number, page in enumerate(self.storage):
            at = number * PAGE
            if now[at : at + PAGE] != page:
                machine.bus.write_bytes(start + at, page)
        disk = machine.disk
        if disk is not None and isinstance(disk.image, Journal):
            disk.image.put_back(self.disk)
        with _aside(machine):
            for name, device in machine.devices.items():
                device.restore(self.devices[name])
        for name, pieces in self.records.items():
            device, attribute = machine.devices[name], RECORDS[name]
            setattr(device, attribute, type(getattr(device, attribute))(_joined(pieces)))
        machine.put_back(self.hart, self.steps)

    def output(self, name: str) -> list[Any]:
        """All that a device has put out: bytes of the console, lines of paper, cards."""
        return list(_joined(self.records.get(name, ())))

    def beyond(self, before: Picture | None) -> int:
        """About how many bytes it has that `before` has not."""
        total = _BASIC + 8 * (len(self.storage) + len(self.disk))
        total += _beyond(self.storage, () if before is None else before.storage)
        total += _beyond(self.disk, () if before is None else before.disk)
        for name, pieces in self.records.items():
            total += _beyond(pieces, () if before is None else before.records.get(name, ()))
        return total

    def digest(self) -> str:
        """A check sum of all of it, the same on every computer."""
        words = {"hart": lasting(self.hart), "devices": self.devices, "steps": self.steps}
        found = hashlib.sha256(json.dumps(words, sort_keys=True).encode())
        for page in self.storage:
            found.update(page)
        for name in sorted(self.records):
            found.update(repr(self.output(name)).encode())
        for piece in self.disk:
            found.update(piece)
        return found.hexdigest()


def lasting(hart: dict[str, Any]) -> dict[str, Any]:
    """The words of a hart on which its future depends: a reservation that is over is none."""
    words = {name: value for name, value in hart.items() if name not in _TRANSIENT}
    return words if hart["reservation_valid"] else words | {"reservation": 0}


def take_picture(machine: Computer, before: Picture | None = None) -> Picture:
    """The state of a machine now, which shares with `before` what has not changed since."""
    data = _storage(machine)
    pages = (data[at : at + PAGE] for at in range(0, len(data), PAGE))
    if before is None:
        storage = tuple(_ZERO if page == _ZERO else page for page in pages)
    else:
        storage = _shared(pages, before.storage)
    records: dict[str, Pieces] = {}
    for name, attribute in RECORDS.items():
        if name in machine.devices:
            output = getattr(machine.devices[name], attribute)
            old = () if before is None else before.records.get(name, ())
            size = PAGE if isinstance(output, bytearray) else _ITEMS
            cut: Callable[[Any], Any] = bytes if isinstance(output, bytearray) else tuple
            pieces = (cut(output[at : at + size]) for at in range(0, len(output), size))
            records[name] = _shared(pieces, old)
    disk: Pieces = ()
    if machine.disk is not None and isinstance(machine.disk.image, Journal):
        disk = machine.disk.image.pieces()
    with _aside(machine):
        devices = {name: device.save() for name, device in machine.devices.items()}
    return Picture(machine.steps, machine.hart.snapshot(), devices, storage, records, disk)


def _storage(machine: Computer) -> bytes:
    """All of a machine's RAM, read in as few pieces as its frames allow."""
    if not isinstance(machine, VirtualMachine) or machine.vcpu.storage.pager is not None:
        return machine.bus.read_bytes(RAM_BASE, machine.memory)
    frames, host = machine.vcpu.storage.frames, machine.kernel.machine
    starts = [n for n, frame in enumerate(frames) if not n or frames[n - 1] + PAGE != frame]
    ends = [*starts[1:], len(frames)]
    return b"".join(
        host.bus.read_bytes(frames[start], PAGE * (end - start))
        for start, end in zip(starts, ends, strict=True)
    )


def _shared(pieces: Iterator[Any], old: Pieces) -> Pieces:
    """The pieces, those that are as before being the very same."""
    olds = chain(old, repeat(None))
    return tuple(
        before if before == piece else piece for piece, before in zip(pieces, olds, strict=False)
    )


def _beyond(pieces: Pieces, old: Pieces) -> int:
    """The bytes of the pieces that are not the very same as before."""
    news = (piece for piece, before in zip_longest(pieces, old) if piece is not before)
    return sum(
        len(piece) * (1 if isinstance(piece, bytes) else _ITEM_BYTES)
        for piece in news
        if piece is not None and piece is not _ZERO
    )


def _joined(pieces: Pieces) -> Any:
    if pieces and isinstance(pieces[0], bytes):
        return b"".join(pieces)
    return [item for piece in pieces for item in piece]


@contextmanager
def _aside(machine: Computer) -> Iterator[None]:
    """While this lasts, devices have put nothing out, and disks no contents to be saved."""
    outputs = []
    for name, attribute in RECORDS.items():
        if name in machine.devices:
            device = machine.devices[name]
            outputs.append((device, attribute, getattr(device, attribute)))
            setattr(device, attribute, type(getattr(device, attribute))())
    disk = machine.disk
    image = disk.image if isinstance(disk, VirtioBlock) else None
    if disk is not None:
        disk.image = _NoImage()  # type: ignore[assignment]
    try:
        yield
    finally:
        if disk is not None and image is not None:
            disk.image = image
        for device, attribute, output in outputs:
            setattr(device, attribute, output)
