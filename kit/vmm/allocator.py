"""The allocator: which real frame belongs to whom. Nothing reaches a frame except through it."""

from __future__ import annotations

from kit.machine.bus import PAGE, AddressSpace

__all__ = ["Allocator", "GuestStorage"]


class Allocator:
    """Hands out the frames of the machine's storage; a frame is known by its real address."""

    def __init__(self, base: int, size: int) -> None:
        self._free = list(range(base + size - PAGE, base - PAGE, -PAGE))
        self.owner: dict[int, str] = {}

    @property
    def free(self) -> int:
        """How many frames nobody owns."""
        return len(self._free)

    def take(self, owner: str) -> int | None:
        """A frame, or None if there is none left. Its contents are whatever they were."""
        if not self._free:
            return None
        frame = self._free.pop()
        self.owner[frame] = owner
        return frame

    def give_back(self, frame: int) -> None:
        """Ends the ownership of a frame."""
        del self.owner[frame]
        self._free.append(frame)


class GuestStorage(AddressSpace):
    """A guest's storage: guest-physical pages, each in a real frame, and the guest's devices.

    Every write to the guest's RAM that it does not make itself, running directly, goes through
    `write` or `write_bytes`. `tables` are the pages whose contents shadow entries depend on; a
    write to one of them sets `stale`.
    """

    def __init__(self, real: AddressSpace, base: int, frames: list[int]) -> None:
        super().__init__(base, len(frames) * PAGE)
        self._real = real
        self.frames = frames
        self.tables: set[int] = set()
        self.stale = False
        self._page_of = {frame: base + PAGE * n for n, frame in enumerate(frames)}

    def real_address(self, address: int) -> int:
        """Where a byte of the guest's RAM is in real storage."""
        offset = address - self._base
        return self.frames[offset >> 12] + (offset & PAGE - 1)

    def guest_address(self, real: int) -> int | None:
        """Which guest-physical address a real one is, or None if it is not this guest's."""
        page = self._page_of.get(real & -PAGE)
        return None if page is None else page + (real & PAGE - 1)

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

    def _parts(self, address: int, length: int) -> list[tuple[int, int]]:
        """The real address and the length of each part of a range that lies within one frame."""
        parts = []
        while length:
            size = min(length, PAGE - address % PAGE)
            parts.append((self.real_address(address), size))
            address, length = address + size, length - size
        return parts
