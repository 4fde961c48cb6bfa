"""What an address is called: by the symbol before it, and by the line that it was made from."""

from __future__ import annotations

import re
from bisect import bisect_right
from weakref import WeakKeyDictionary

from kit.errors import KitError
from kit.isa.image import Image
from kit.machine.computer import Computer

__all__ = ["Names", "names_of"]

_FARTHEST = 1 << 16
"""Bytes from a symbol on that are still called by it."""
_PLACE = re.compile(r"(.+):([0-9]+)")
_LOCAL = re.compile(r"^(\.L|\$|L0)")


class Names:
    """The names of a program. `lines` has file and line of each address where a line begins."""

    def __init__(self, image: Image | None) -> None:
        self.symbols = {} if image is None else image.symbols
        self.lines: dict[int, tuple[str, int]] = {}
        if image is not None:
            self.lines = image.lines
            if image.elf and not image.lines:
                from kit.toolchain.lines import source_lines  # loads pyelftools

                self.lines = source_lines(image.elf)
        known = sorted(
            ((value, name) for name, value in self.symbols.items() if not _LOCAL.match(name)),
            key=lambda row: (row[0], row[1].startswith("_"), row[1]),
            reverse=True,
        )
        self._by_address = dict(known)
        self._addresses = sorted(self._by_address)
        self._starts = sorted(self.lines)

    def symbol(self, address: int) -> str:
        """Such as ``trap_entry`` or ``main+0x1c``; nothing where no symbol is near."""
        at = bisect_right(self._addresses, address) - 1
        if at < 0 or address - self._addresses[at] >= _FARTHEST:
            return ""
        offset = address - self._addresses[at]
        return self._by_address[self._addresses[at]] + (f"+{offset:#x}" if offset else "")

    def line(self, address: int) -> str:
        """Such as ``trap.c:58``; nothing where it is not known."""
        at = bisect_right(self._starts, address) - 1
        if at < 0 or address - self._starts[at] >= _FARTHEST:
            return ""
        file, line = self.lines[self._starts[at]]
        return f"{file}:{line}"

    def describe(self, address: int) -> str:
        """The address with all that is known of it, for people."""
        known = ", ".join(filter(None, (self.symbol(address), self.line(address))))
        return f"{address:#010x}" + (f" ({known})" if known else "")

    def address(self, place: int | str) -> int:
        """The address of a number, a symbol, ``symbol+4``, or the first of a line, ``trap.c:58``.

        A line that made no instruction stands for the next one that did. Raises `KitError`.
        """
        if isinstance(place, int):
            return place
        found = _PLACE.fullmatch(place)
        if found is not None:
            return self._of_line(found[1], int(found[2]), place)
        name, _, offset = place.partition("+")
        if name.strip() in self.symbols:
            return self.symbols[name.strip()] + (int(offset, 0) if offset else 0)
        try:
            return int(place, 0)
        except ValueError:
            raise KitError(
                f"{place!r}: the program has no such symbol; or write FILE:LINE or 0x…"
            ) from None

    def _of_line(self, file: str, line: int, place: str) -> int:
        rows = [
            (number, address)
            for address, (name, number) in self.lines.items()
            if number >= line and (name == file or name.endswith("/" + file))
        ]
        if not rows:
            raise KitError(f"{place}: no instruction was made from this line, or from one after it")
        return min(rows)[1]


_known: WeakKeyDictionary[Computer, tuple[Image | None, Names]] = WeakKeyDictionary()


def names_of(machine: Computer) -> Names:
    """The names of the program that was loaded into a machine; they are worked out once."""
    image, names = _known.get(machine, (None, None))
    if names is None or image is not machine.image:
        try:
            names = Names(machine.image)
        except KitError:  # damaged debug information is no reason to show nothing
            names = Names(None)
        _known[machine] = machine.image, names
    return names
