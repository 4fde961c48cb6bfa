"""Storage and devices behind one range of addresses.

Every write to RAM goes through `Bus.write` or `Bus.write_bytes`: processor, page-table updates,
DMA, loader and debugger alike. `Bus.watch` therefore sees them all.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from kit.devices.device import BusError, Device
from kit.errors import KitError

__all__ = ["PAGE", "AddressSpace", "Bus", "Storage"]

PAGE = 4096


class Storage:
    """Random-access memory: `size` bytes from the address `base` on, all zero at first.

    `octets`, `halves` and `words` are views of the same bytes. They are only little-endian on a
    little-endian host, which every host that Python 3.11 is built for in practice is; on another
    the constructor refuses. The bytes may be an engine's own, given as `octets`. Raises KitError if
    base or size are no multiples of 4096 bytes, or do not fit into 32-bit addresses.
    """

    def __init__(self, size: int, base: int = 0x80000000, octets: memoryview | None = None) -> None:
        if sys.byteorder != "little":
            raise KitError("storage: this host is big-endian; the kit needs a little-endian one")
        if size <= 0 or size % PAGE or base % PAGE:
            raise KitError(f"storage: {size} bytes at {base:#x}; use multiples of {PAGE} bytes")
        if base + size > 1 << 32:
            raise KitError(
                f"storage: {size} bytes do not fit above {base:#x}; at most {(1 << 32) - base} do"
            )
        self.base = base
        self.size = size
        self.octets = memoryview(bytearray(size)) if octets is None else octets
        self.halves = self.octets.cast("H")
        self.words = self.octets.cast("I")


class AddressSpace(ABC):
    """Devices, each behind its window, and RAM of `size` bytes from `base` on.

    What the RAM consists of is for the subclass to say: `Bus` has the machine's storage, a virtual
    machine the frames that its VMM gives it. Accesses are naturally aligned and have 1, 2 or 4
    bytes. `attention` becomes True after each access to a device: interrupt lines and events may
    have changed. `watch`, if set, is called with (address, length) after each write to RAM. Where
    it only needs to know of writes to certain ranges, each within a page, `watched` has them: an
    engine may then keep the others to itself, and tell of these when the step is over.
    """

    def __init__(self, base: int, size: int) -> None:
        self.attention = False
        self.watch: Callable[[int, int], None] | None = None
        self.watched: tuple[range, ...] | None = None
        self._pages: dict[int, tuple[int, Device]] = {}
        self._base, self._size = base, size

    def attach(self, device: Device, base: int) -> None:
        """Puts a device at the addresses from `base` on, which must begin a page.

        Raises KitError if RAM or another device is there.
        """
        pages = range(base // PAGE, (base + device.size + PAGE - 1) // PAGE)
        ram = range(self._base // PAGE, (self._base + self._size) // PAGE)
        if base % PAGE:
            raise KitError(f"{device.name}: address {base:#x} does not begin a page")
        for page in pages:
            if page in self._pages or page in ram:
                raise KitError(f"{device.name}: address {page * PAGE:#x} is in use already")
        self._pages |= dict.fromkeys(pages, (base, device))

    def detach(self, device: Device) -> None:
        """Takes a device away; nothing answers at its addresses any more."""
        self._pages = {page: place for page, place in self._pages.items() if place[1] is not device}

    def is_ram(self, address: int, size: int) -> bool:
        """Whether all `size` bytes are RAM."""
        return 0 <= address - self._base <= self._size - size

    def reaches(self, address: int, size: int) -> bool:
        """Whether an access reaches RAM, or a device that accepts this size there."""
        if 0 <= address - self._base < self._size:
            return True
        place = self._pages.get(address >> 12)
        if place is None:
            return False
        offset = address - place[0]
        return offset < place[1].size and place[1].accepts(offset, size)

    @abstractmethod
    def read(self, address: int, size: int) -> int:
        """Reads RAM or a device register; `reaches` must hold."""

    @abstractmethod
    def write(self, address: int, size: int, value: int) -> None:
        """Writes RAM or a device register; `reaches` must hold, and `value` fits `size` bytes."""

    @abstractmethod
    def read_bytes(self, address: int, length: int) -> bytes:
        """`length` bytes of RAM. Raises BusError, a KitError, if they are not all RAM."""

    @abstractmethod
    def write_bytes(self, address: int, data: bytes) -> None:
        """Writes RAM. Raises BusError, a KitError, and writes nothing, if it is not all RAM."""

    def read_device(self, address: int, size: int) -> int:
        """Reads a device register; `reaches` must hold."""
        base, device = self._place(address)
        self.attention = True
        return device.read(address - base, size)

    def write_device(self, address: int, size: int, value: int) -> None:
        """Writes a device register; `reaches` must hold, and `value` fits `size` bytes."""
        base, device = self._place(address)
        self.attention = True
        device.write(address - base, size, value)

    def _place(self, address: int) -> tuple[int, Device]:
        place = self._pages.get(address >> 12)
        if place is None:
            raise BusError(f"bus: nothing answers at address {address:#x}")
        return place

    def _offset(self, address: int, length: int) -> int:
        offset = address - self._base
        if length < 0 or not 0 <= offset <= self._size - length:
            end = self._base + self._size - 1
            raise BusError(
                f"storage: {length} bytes at {address:#x} are not all RAM "
                f"({self._base:#x} to {end:#x})"
            )
        return offset


class Guards(Protocol):
    """What an engine wants to know of writes that it does not make itself.

    `pages` has a byte for each page of RAM: not zero where the engine depends on what is in it.
    """

    pages: memoryview

    def written(self, offset: int, length: int) -> None:
        """These bytes of RAM, some of them perhaps in such pages, have been written."""


class Bus(AddressSpace):
    """Where the processor's accesses go: the machine's storage, and its devices.

    `guards`, if set, are the engine's.
    """

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage.base, storage.size)
        self.storage = storage
        self._octets, self._halves, self._words = storage.octets, storage.halves, storage.words
        self.guards: Guards | None = None

    def read(self, address: int, size: int) -> int:
        """Reads RAM or a device register; `reaches` must hold."""
        offset = address - self._base
        if 0 <= offset < self._size:
            if size == 4:
                return self._words[offset >> 2]
            if size == 1:
                return self._octets[offset]
            return self._halves[offset >> 1]
        return self.read_device(address, size)

    def write(self, address: int, size: int, value: int) -> None:
        """Writes RAM or a device register; `reaches` must hold, and `value` fits `size` bytes."""
        offset = address - self._base
        if 0 <= offset < self._size:
            if size == 4:
                self._words[offset >> 2] = value
            elif size == 1:
                self._octets[offset] = value
            else:
                self._halves[offset >> 1] = value
            if self.guards is not None and self.guards.pages[offset >> 12]:
                self.guards.written(offset, size)
            if self.watch is not None:
                self.watch(address, size)
            return
        self.write_device(address, size, value)

    def read_bytes(self, address: int, length: int) -> bytes:
        """`length` bytes of RAM. Raises BusError, a KitError, if they are not all RAM."""
        offset = self._offset(address, length)
        return bytes(self._octets[offset : offset + length])

    def write_bytes(self, address: int, data: bytes) -> None:
        """Writes RAM. Raises BusError, a KitError, and writes nothing, if it is not all RAM."""
        offset = self._offset(address, len(data))
        self._octets[offset : offset + len(data)] = data
        if self.guards is not None and data:
            self.guards.written(offset, len(data))
        if self.watch is not None and data:
            self.watch(address, len(data))
