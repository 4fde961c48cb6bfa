"""The allocator: which real frame belongs to whom. Nothing reaches a frame except through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from kit.machine.bus import PAGE, AddressSpace

__all__ = ["MINIMUM", "Allocator", "GuestStorage", "Pager"]

MINIMUM = 10
"""Frames a pageable guest has at least: one instruction can need three pages and six tables."""


class Allocator:
    """Hands out the frames of the machine's storage; a frame is known by its real address."""

    def __init__(self, base: int, size: int) -> None:
        self._free = dict.fromkeys(range(base, base + size, PAGE))
        self.owner: dict[int, str] = {}

    @property
    def free(self) -> int:
        """How many frames nobody owns."""
        return len(self._free)

    def take(self, owner: str) -> int:
        """A frame, the highest there is, or 0 if there is none. Its contents are what they were."""
        if not self._free:
            return 0
        frame, _ = self._free.popitem()
        self.owner[frame] = owner
        return frame

    def take_exactly(self, owner: str, frames: range) -> bool:
        """Takes these frames, if nobody owns any of them."""
        if any(frame not in self._free for frame in frames):
            return False
        for frame in frames:
            del self._free[frame]
            self.owner[frame] = owner
        return True

    def give_back(self, frame: int) -> None:
        """Ends the ownership of a frame."""
        del self.owner[frame]
        self._free[frame] = None


class Pager(Protocol):
    """What keeps the pages of a guest that have no frame, and says who has to leave.

    It is the operator's, not the kernel's, and raises nothing: when it cannot go on, `failure` says
    why, and the guest is stopped. Whatever it answers, a guest loses only its own pages.
    """

    failure: str

    def load(self, name: str, page: int) -> bytes:
        """The contents of a guest's page: as last stored, or nothing, which stands for zeros."""

    def store(self, name: str, page: int, contents: bytes) -> None:
        """Keeps a page that loses its frame."""

    def victim(self, name: str, resident: list[int]) -> int:
        """Which of a guest's resident pages loses its frame."""


class GuestStorage(AddressSpace):
    """A guest's storage: guest-physical pages, each in a real frame, and the guest's devices.

    Every write to the guest's RAM that it does not make itself, running directly, goes through
    `write` or `write_bytes`. `tables` are the pages whose contents shadow entries depend on; a
    write to one of them sets `stale`. With a `pager`, a page may have no frame (0) until needed;
    a table that loses its frame sets `evicted` too.
    """

    def __init__(
        self, real: AddressSpace, allocator: Allocator, base: int, frames: list[int], name: str
    ) -> None:
        super().__init__(base, len(frames) * PAGE)
        self._real, self._allocator, self._name = real, allocator, name
        self.frames = frames
        self.pager: Pager | None = None
        self.unmap: Callable[[int], None] = lambda frame: None
        self.tables: set[int] = set()
        self.stale = self.evicted = False
        self._page_of = {frame: base + PAGE * n for n, frame in enumerate(frames) if frame}

    def real_address(self, address: int) -> int:
        """Where a byte of the guest's RAM is in real storage; a page without a frame gets one."""
        number, offset = divmod(address - self._base, PAGE)
        return (self.frames[number] or self._bring_in(number)) + offset

    def guest_address(self, real: int) -> int | None:
        """Which guest-physical address a real one is, or None if it is not this guest's."""
        page = self._page_of.get(real & -PAGE)
        return None if page is None else page + (real & PAGE - 1)

    def _bring_in(self, number: int) -> int:
        """Gives a page a frame, if need be that of another page of the same guest."""
        assert self.pager is not None
        frame = self._allocator.take(self._name) or self._make_room(self.pager)
        contents = self.pager.load(self._name, number)
        self._real.write_bytes(frame, contents[:PAGE].ljust(PAGE, b"\0"))
        self.frames[number] = frame
        self._page_of[frame] = self._base + PAGE * number
        return frame

    def _make_room(self, pager: Pager) -> int:
        """Takes the frame of the page that the pager chooses, or of the first if that has none."""
        # In the order in which they came, without the last: a waiting instruction may need those.
        resident = [(page - self._base) // PAGE for page in self._page_of.values()][: 1 - MINIMUM]
        number = pager.victim(self._name, resident)
        number = number if number in resident else resident[0]
        frame = self.frames[number]
        pager.store(self._name, number, self._real.read_bytes(frame, PAGE))
        self.unmap(frame)
        # Entries that came from a table in this page must not outlive its protection.
        if self._base + PAGE * number in self.tables:
            self.stale = self.evicted = True
        self.frames[number] = 0
        del self._page_of[frame]
        return frame

    def read(self, address: int, size: int) -> int:
        """Reads RAM or a device register; `reaches` must hold."""
        if self.is_ram(address, size):
            return self._real.read(self.real_address(address), size)
        return self.read_device(address, size)

    def write(self, address: int, size: int, value: int) -> None:
        """Writes RAM or a device register; `reaches` must hold, and `value` fits `size` bytes."""
        if not self.is_ram(address, size):
            self.write_device(address, size, value)
            return
        self.stale = self.stale or address & -PAGE in self.tables
        self._real.write(self.real_address(address), size, value)
        if self.watch is not None:
            self.watch(address, size)

    def read_bytes(self, address: int, length: int) -> bytes:
        """`length` bytes of RAM. Raises BusError, a KitError, if they are not all RAM."""
        self._offset(address, length)
        parts = (self._real.read_bytes(real, size) for real, size in self._parts(address, length))
        return b"".join(parts)

    def write_bytes(self, address: int, data: bytes) -> None:
        """Writes RAM. Raises BusError, a KitError, and writes nothing, if it is not all RAM."""
        self._offset(address, len(data))
        done = 0
        pages = range(address & -PAGE, address + len(data), PAGE)
        self.stale = self.stale or not self.tables.isdisjoint(pages)
        for real, size in self._parts(address, len(data)):
            self._real.write_bytes(real, data[done : done + size])
            done += size
        if self.watch is not None and data:
            self.watch(address, len(data))

    def _parts(self, address: int, length: int) -> Iterator[tuple[int, int]]:
        """The real address and the length of each part of a range that lies within one page.

        One at a time: when a part is asked for, a page of those before may lose its frame.
        """
        while length:
            size = min(length, PAGE - address % PAGE)
            yield self.real_address(address), size
            address, length = address + size, length - size
