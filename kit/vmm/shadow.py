"""Shadow tables: real Sv32 tables, behind which a guest runs in the machine's U-mode.

A guest has one tree of tables for each regime in which its addresses mean something else (the key
of `root`). Entries are filled in when a page fault asks for them, and dropped all together.
"""

from __future__ import annotations

from kit.machine.bus import PAGE, Bus
from kit.vmm.allocator import Allocator

__all__ = ["POOL", "Shadow"]

V, R, W, X, U, A, D = (1 << bit for bit in (0, 1, 2, 3, 4, 6, 7))

POOL = 24
"""Frames for tables that a guest has; when they are used up, all its entries are dropped."""


class Shadow:
    """The tables of one guest, in `POOL` frames taken from the allocator.

    `complete` is False where the allocator had too few; the guest cannot run then.
    """

    def __init__(self, real: Bus, allocator: Allocator, owner: str) -> None:
        self._real = real
        taken = [allocator.take(owner) for _ in range(POOL)]
        self.frames = [frame for frame in taken if frame is not None]
        self.complete = len(self.frames) == POOL
        self._roots: dict[int, int] = {}
        self._unused = list(self.frames)

    def root(self, key: int) -> int:
        """The real address of the root table for a regime, empty at first."""
        if key not in self._roots:
            if not self._unused:
                self.drop()
            self._roots[key] = self._table()
        return self._roots[key]

    def map(self, key: int, page: int, frame: int, rights: int) -> None:
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
        allowed = (R if rights & 1 else 0) | (W if rights & 2 else 0) | (X if rights & 4 else 0)
        # Accessed and dirty from birth: the machine never has to write a shadow entry.
        self._real.write(entry, 4, frame >> 2 | D | A | U | V | allowed)

    def drop(self) -> None:
        """Forgets every entry of every regime."""
        self._roots.clear()
        self._unused = list(self.frames)

    def _table(self) -> int:
        table = self._unused.pop()
        self._real.write_bytes(table, bytes(PAGE))
        return table
