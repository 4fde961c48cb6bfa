"""Shadow tables: real Sv32 tables, behind which a guest runs in the machine's U-mode.

A guest has one tree of tables for each regime in which its addresses mean something else (the key
of `root`). Entries are filled in when a page fault asks for them, and dropped all together.
"""

from __future__ import annotations

from kit.machine.bus import PAGE, AddressSpace
from kit.vmm.allocator import Allocator

__all__ = ["POOL", "Shadow"]

V, R, W, X, U, A, D = (1 << bit for bit in (0, 1, 2, 3, 4, 6, 7))

POOL = 48
"""Frames for tables that a guest has; when they are used up, all its entries are dropped."""

Key = tuple[int, ...]
"""What tells one regime of a guest from another."""


class Shadow:
    """The tables of one guest, in `POOL` frames taken from the allocator, which must have them.

    No entry lets the guest write a frame in `protected`: those hold tables that entries come from.
    """

    def __init__(self, real: AddressSpace, allocator: Allocator, owner: str) -> None:
        self._real = real
        self.frames = [allocator.take(owner) for _ in range(POOL)]
        self._unused = list(self.frames)
        self._roots: dict[Key, int] = {}
        self._entries: dict[int, list[int]] = {}
        self.protected: set[int] = set()

    @property
    def has_room(self) -> bool:
        """Can an entry be mapped, with a new root and a new table, without dropping others?"""
        return len(self._unused) >= 2

    def root(self, key: Key) -> int:
        """The real address of the root table for a regime, empty at first."""
        if key not in self._roots:
            if not self._unused:
                self.drop()
            self._roots[key] = self._table()
        return self._roots[key]

    def map(self, key: Key, page: int, frame: int, rights: int) -> None:
        """Maps a guest's page to a frame; `rights` has bits 0 read, 1 write, 2 execute."""
        slot = self.root(key) + 4 * (page >> 22)
        pointer = self._real.read(slot, 4)
        if not pointer & V:
            if not self._unused:
                self.drop()
                slot = self.root(key) + 4 * (page >> 22)
            pointer = self._table() >> 2 | V
            self._real.write(slot, 4, pointer)
        entry = (pointer >> 10 << 12) + 4 * (page >> 12 & 0x3FF)
        if frame in self.protected:
            rights &= ~2
        self._entries.setdefault(frame, []).append(entry)
        allowed = (R if rights & 1 else 0) | (W if rights & 2 else 0) | (X if rights & 4 else 0)
        # Accessed and dirty from birth: the machine never has to write a shadow entry.
        self._real.write(entry, 4, frame >> 2 | D | A | U | V | allowed)

    def protect(self, frame: int) -> None:
        """From now on no entry lets the guest write a frame."""
        self.protected.add(frame)
        for entry in self._entries.get(frame, ()):
            self._real.write(entry, 4, self._real.read(entry, 4) & ~W)

    def unmap(self, frame: int) -> None:
        """Forgets the entries that lead to a frame: it will hold something else."""
        for entry in self._entries.pop(frame, ()):
            self._real.write(entry, 4, 0)

    def drop(self) -> None:
        """Forgets every entry of every regime, and what they protected."""
        self._roots.clear()
        self._entries.clear()
        self.protected.clear()
        self._unused = list(self.frames)

    def _table(self) -> int:
        table = self._unused.pop()
        self._real.write_bytes(table, bytes(PAGE))
        return table
