"""The program around the places where something happened: disassembly, symbols, source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kit.isa.disassembler import disassemble_bytes
from kit.machine.bus import PAGE
from kit.machine.computer import Computer
from kit.machine.names import names_of
from kit.resources import guests_dir
from kit.trace.debugger import physical_address
from kit.widgets.maps import image_extent, page_of, peek_page

__all__ = ["AFTER", "BEFORE", "code_rows", "listing", "listing_at"]

BEFORE, AFTER = 12, 24
"""Bytes of program shown before and after a place."""

_MOST = 4000
_AROUND = 4
"""Lines of source before and after one that is named."""


def listing(machine: Computer, places: Iterable[int]) -> dict[str, Any]:
    """Rows [address, bytes, text, symbol, file:line] around the places, and the source lines.

    Only the loaded program is shown: what lies elsewhere may be another one by now.
    """
    rows: dict[int, list[Any]] = {}
    program = _Program(machine)
    for place in sorted(set(places)):
        if program.has(place) and place not in rows and len(rows) < _MOST:
            for row in program.around(place):
                rows.setdefault(row[0], row)
    ordered = [rows[at] for at in sorted(rows)]
    return {"rows": ordered, "source": _sources(row[4] for row in ordered)}


def listing_at(machine: Computer, place: int) -> dict[str, Any]:
    """The program around one place as it is now, whosever it is."""
    found = listing(machine, [place])
    if not found["rows"]:
        page = page_of(machine, place)
        at = place & PAGE - 1
        found["rows"] = [] if page is None else code_rows(place, 0, page[at : at + AFTER])
    return found


def code_rows(pc: int, before: int, code: bytes) -> list[list[Any]]:
    """Rows of a program of which nobody knows names or source, `before` bytes from pc on.

    Instructions have two lengths, so it is tried where the first one begins, until pc begins one.
    """
    for skipped in (*range(0, before, 2), before):
        rows = disassemble_bytes(code[skipped:], pc - before + skipped)
        found = [[at, word[::-1].hex(), text, "", ""] for at, word, text in rows]
        if any(row[0] == pc for row in found):
            return found
    return []


class _Program:
    """What is in a machine's storage, by virtual address; pages are looked up once."""

    def __init__(self, machine: Computer) -> None:
        self._machine = machine
        self._names = names_of(machine)
        self._symbols = {address: name for name, address in machine.symbols.items()}
        self._pages: dict[int, bytes | None] = {}
        self._start, size = image_extent(machine)
        self._end = self._start + size

    def has(self, address: int) -> bool:
        """Does it belong to the program that was loaded?"""
        return self._start <= address < self._end

    def around(self, place: int) -> list[list[Any]]:
        """The rows around a place."""
        begins = place - BEFORE in self._names.lines
        start = place - BEFORE if begins else place
        data = b"".join(self._bytes(start, place + AFTER))
        return [self._row(*row) for row in disassemble_bytes(data, start)]

    def _row(self, at: int, word: bytes, text: str) -> list[Any]:
        symbol = self._symbols.get(at, "") or self._names.symbol(at)
        return [at, word[::-1].hex(), text, symbol, self._names.line(at)]

    def _bytes(self, start: int, end: int) -> Iterator[bytes]:
        """Bytes page by page, as far as there are any."""
        while start < end:
            page = self._page(start & -PAGE)
            if page is None:
                return
            stop = min(end, (start & -PAGE) + PAGE)
            yield page[start & PAGE - 1 :][: stop - start]
            start = stop

    def _page(self, virtual: int) -> bytes | None:
        """A page, without changing anything."""
        if virtual not in self._pages:
            machine = self._machine
            physical = physical_address(machine, virtual) if machine.hart.satp >> 31 else virtual
            found = None if physical is None else peek_page(machine, physical)
            self._pages[virtual] = found
        return self._pages[virtual]


def _sources(places: Iterable[str]) -> dict[str, dict[int, str]]:
    """The lines of source that are named, and some around them, by file."""
    wanted: dict[str, set[int]] = {}
    for place in places:
        file, _, line = place.rpartition(":")
        if file:
            near = range(max(1, int(line) - _AROUND), int(line) + _AROUND + 1)
            wanted.setdefault(file, set()).update(near)
    found = {}
    for file, numbers in wanted.items():
        lines = _read(file)
        found[file] = {n: lines[n - 1] for n in sorted(numbers) if n <= len(lines)}
    return {file: lines for file, lines in found.items() if lines}


def _read(file: str) -> list[str]:
    """The lines of a source: from the folder of today, or of the kit's own guests."""
    for folder in (Path(), guests_dir().parent):
        path = folder / file
        try:
            if path.is_file():
                return path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
    return []
