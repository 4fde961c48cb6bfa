"""Where the pages of pageable virtual machines are kept, and which of them has to leave.

The kernel asks a `BackingStore` when a guest needs a frame and there is none. Which page of that
guest leaves is decided by the store's policy, a function that can be replaced.
"""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from kit.errors import KitError
from kit.machine.bus import PAGE

__all__ = ["POLICIES", "BackingStore", "Policy"]

Policy = Callable[[list[int]], int]
"""From a guest's resident page numbers, the longest resident first, to the one that goes."""


def first_in(resident: list[int]) -> int:
    """FIFO: the page that has been resident longest."""
    return resident[0]


def last_in(resident: list[int]) -> int:
    """LIFO: the page that came last; good for loops that are a little too long."""
    return resident[-1]


def by_chance(seed: int = 1) -> Policy:
    """A page drawn at random, the same ones for the same seed."""
    source = random.Random(seed)
    return lambda resident: source.choice(resident)


POLICIES: dict[str, Callable[[], Policy]] = {
    "fifo": lambda: first_in,
    "lifo": lambda: last_in,
    "random": by_chance,
}
"""The policies by name; each call gives a fresh one."""


class BackingStore:
    """Keeps pages in a file, or in memory where no file is named.

    `reads` and `writes` count pages; `failure` is why it cannot go on, if it cannot. A file is
    created, and holds nothing of use afterwards. Raises `KitError` where it cannot be created.
    """

    def __init__(self, path: str | Path | None = None, policy: Policy = first_in) -> None:
        self.policy = policy
        self.reads = self.writes = 0
        self.failure = ""
        self._file: BinaryIO = io.BytesIO()
        self._slots: dict[tuple[str, int], int] = {}
        self._sums: dict[tuple[str, int], int] = {}
        self._order: dict[str, dict[int, None]] = {}
        if path is not None:
            try:
                self._file = open(path, "w+b")  # noqa: SIM115 - open as long as the store is
            except OSError as error:
                raise KitError(f"{path}: cannot make the backing file: {error.strerror}") from None

    def load(self, name: str, page: int) -> bytes:
        """The page as it was stored, or nothing if it never was."""
        self._order.setdefault(name, {})[page] = None
        slot = self._slots.get((name, page))
        if slot is None:
            return b""
        self.reads += 1
        try:
            self._file.seek(slot * PAGE)
            contents = self._file.read(PAGE)
        except OSError as error:
            contents = b""
            self.failure = f"page {page} of {name} cannot be read back: {error.strerror}"
        if zlib.crc32(contents) != self._sums[name, page] and not self.failure:
            self.failure = f"page {page} of {name} is damaged: somebody changed the backing file"
        return contents

    def store(self, name: str, page: int, contents: bytes) -> None:
        """Keeps a page."""
        self.writes += 1
        slot = self._slots.setdefault((name, page), len(self._slots))
        self._sums[name, page] = zlib.crc32(contents)
        try:
            self._file.seek(slot * PAGE)
            self._file.write(contents)
            self._file.flush()
        except OSError as error:
            self.failure = f"page {page} of {name} cannot be kept: {error.strerror}"

    def victim(self, name: str, resident: list[int]) -> int:
        """The page that the policy chooses; it is shown them in the order in which they came."""
        order = self._order.setdefault(name, {})
        present = set(resident)
        came = [page for page in order if page in present]
        chosen = self.policy([page for page in resident if page not in order] + came)
        if chosen not in present:
            self.failure = f"the paging policy chose page {chosen} of {name}, which has no frame"
        order.pop(chosen, None)
        return chosen

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
