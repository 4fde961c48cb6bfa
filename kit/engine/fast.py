"""The fast engine: what `kit.engine.core` and `kit.engine.translator` generate, run by a host.

It agrees with the reference engine state for state wherever it returns. Accesses to devices, and
whatever is watched or has breakpoints, it leaves to the reference engine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import kit.isa
from kit.engine.cache import cached_bytes, source_digest
from kit.engine.layout import (
    CODE,
    CODE_PAGE,
    DEVICE,
    ENTRIES,
    HEAT,
    HOT,
    PLACES,
    TABLE_PAGE,
    TRAPPED,
    Layout,
)
from kit.engine.reference import ReferenceEngine
from kit.engine.shared_hart import shared_hart
from kit.isa.config import Config
from kit.isa.cpu import M
from kit.isa.hart import Hart, StorageBus

if sys.platform == "emscripten":
    from kit.engine.runtime_pyodide import Runtime
else:
    from kit.engine.runtime import Runtime

if TYPE_CHECKING:
    from kit.engine.translator import Translator

__all__ = ["FastEngine"]

LINEAR = 1
"""Stands for the page where every address is physical."""
PAGE = 4096
FIRST_SLOT = 256
THRESHOLD = 40
"""After so many arrivals at an address, the code there is worth translating."""
VOLATILE = 8
"""Code on a page that has been written over so often is not translated any more."""


class FastEngine:
    """Executes the instructions of a hart that it makes itself (`hart`), with RAM in `ram`.

    `listens` says for which traps `on_trap` is called: 0 none, 1 those into M-mode, 2 all.
    """

    def __init__(self, config: Config, ram_base: int, size: int) -> None:
        self._layout = Layout(config, ram_base, size)
        self._runtime = Runtime(self._layout.total)
        memory = self._runtime.bytes
        start = self._layout.at["ram"]
        self.ram = memory[start : start + size]
        guards = self._layout.at["guards"]
        self.pages = memory[guards : guards + (size >> 12)]
        lines = self._layout.at["lines"]
        self._lines = memory[lines : lines + (size >> 5)]
        self._memory = memory
        self._words = memory.cast("I")
        self._translator: Translator | None = None
        self._next_slot = FIRST_SLOT
        # By page of RAM: the translations with code on it (place, pc, page), and how often that has
        # been written over.
        self._translated: dict[int, list[tuple[int, int, int]]] = {}
        self._changes = bytearray(size >> 12)
        self.on_trap: Callable[[int], bool] | None = None
        self.threshold = THRESHOLD
        self.listens: Callable[[], int] = lambda: 2
        self._runtime.load(self._core(), keep=True)
        self._run = self._runtime.entry("run")
        self._drop = self._runtime.entry("drop")

    def hart(self, bus: StorageBus) -> Hart:
        """The hart, whose accesses that are not to RAM go to `bus`."""
        self._hart = shared_hart(self._layout, self._runtime.bytes, bus)
        self._bus = bus
        self._reference = ReferenceEngine(self._hart)
        self._drop()
        return self._hart

    # -- what is translated ----------------------------------------------------------------------

    def _translate(self) -> None:
        """Translates the code at pc, where that can be done."""
        pc, page = self._hart.pc, self._page(self._hart.pc)
        if page is None or self._next_slot == self._runtime.slots:
            return
        word_at = self._linear_word if page == LINEAR else partial(self._paged_word, pc, page)
        if self._translator is None:
            # Many a run is over before anything is worth translating, and needs no definitions.
            from kit.engine.translator import Translator

            self._translator = Translator(self._layout)
        found = self._translator.translate(pc, self._next_slot, word_at, page == LINEAR)
        if found is None:
            return
        self._runtime.load(found.binary)
        delta = -self._layout.ram_base
        if page != LINEAR:
            delta = page - self._layout.at["ram"] - (pc & -PAGE)
        self._guard(place + delta for place in found.places)
        place = self._layout.at["places"] + ((pc >> 1) % PLACES) * 16 >> 2
        for offset, value in enumerate((pc, page, self._next_slot)):
            self._words[place + offset] = value
        for number in {
            part >> 12 for offset in found.places for part in self._ends(offset + delta)
        }:
            self._translated.setdefault(number, []).append((place, pc, page))
        self._next_slot += 1

    def _page(self, pc: int) -> int | None:
        """What the core compares to tell apart translations for one virtual address."""
        words, at = self._words, self._layout.at
        if words[at["linear"] >> 2]:
            return LINEAR
        entry = words[at["execute_table"] >> 2] + (pc >> 9 & (ENTRIES - 1) << 3) >> 2
        if words[entry] != pc & -PAGE:
            return None
        return words[entry + 1] + (pc & -PAGE) & 0xFFFF_FFFF

    def _linear_word(self, address: int) -> int | None:
        return self._word(address - self._layout.ram_base, self._layout.size)

    def _paged_word(self, entry: int, page: int, address: int) -> int | None:
        if address & -PAGE != entry & -PAGE:
            return None
        start = page - self._layout.at["ram"]
        return self._word(start + address % PAGE, start + PAGE)

    def _word(self, offset: int, end: int) -> int | None:
        """The instruction at an offset in RAM, all of which must lie before `end`."""
        if not 0 <= offset < end - 1 or self._changes[offset >> 12] >= VOLATILE:
            return None
        low = self.ram[offset] | self.ram[offset + 1] << 8
        if low & 3 != 3:
            return low
        if offset + 4 > end or self._changes[offset + 2 >> 12] >= VOLATILE:
            return None
        return low | self.ram[offset + 2] << 16 | self.ram[offset + 3] << 24

    def _guard(self, offsets: Iterable[int]) -> None:
        """Wants to know of writes to the instructions at these offsets in RAM."""
        new = False
        for offset in offsets:
            for part in self._ends(offset):
                self._lines[part >> 5] = 1
                new = new or not self.pages[part >> 12] & CODE_PAGE
                self.pages[part >> 12] |= CODE_PAGE
        if new:
            # A page that could be written to directly cannot any more.
            self._words[self._layout.at["flush"] >> 2] = 1

    def _ends(self, offset: int) -> tuple[int, int]:
        """The first and the last byte of an instruction: the last of a page may reach beyond."""
        return offset, offset + (3 if self.ram[offset] & 3 == 3 else 1)

    def _invalidate(self, page: int) -> None:
        """Drops the translations of code on a page of RAM."""
        for place, pc, tag in self._translated.pop(page, ()):
            if (self._words[place], self._words[place + 1]) == (pc, tag):
                self._words[place + 1] = 0
        self._lines[page << 7 : page + 1 << 7] = bytes(PAGE >> 5)
        self.pages[page] &= ~CODE_PAGE
        self._changes[page] += 1
        # What is hot is found out anew.
        heat = self._layout.at["heat"]
        self._memory[heat : heat + HEAT * 8] = bytes(HEAT * 8)

    def _invalidate_written(self) -> None:
        count, written = (self._layout.at[name] >> 2 for name in ("written_pages", "written"))
        for page in set(self._words[written : written + self._words[count]].tolist()):
            self._invalidate(page)
        self._words[count] = 0

    def written(self, offset: int, length: int) -> None:
        """RAM has been written by somebody else, who may have changed tables or code."""
        first, last = offset >> 12, offset + length - 1 >> 12
        for page, guard in enumerate(self.pages[first : last + 1], first):
            if guard & TABLE_PAGE:
                self._words[self._layout.at["flush"] >> 2] = 1
            if guard & CODE_PAGE and any(self._lines[offset >> 5 : (offset + length - 1 >> 5) + 1]):
                self._invalidate(page)

    def _core(self) -> bytes:
        root = Path(kit.isa.__file__).parent.parent
        files = [root / "bits.py"]
        files += [file for room in ("isa", "engine") for file in (root / room).glob("*.py")]
        layout = self._layout
        name = source_digest(files, repr((layout.config, layout.ram_base, layout.size)))

        def make() -> bytes:
            from kit.engine.core import core_module  # tracing is only needed the first time

            return core_module(layout)[0]

        return cached_bytes(f"core-{name}", make)

    def run(self, limit: int, breakpoints: Collection[int] = ()) -> int:
        """Makes up to `limit` steps and returns how many were made.

        As `ReferenceEngine.run`, which see for what makes it return earlier.
        """
        bus, hart = self._bus, self._hart
        words, at = self._words, self._layout.at
        left, counted, reason = at["left"] >> 2, at["counted"] >> 2, at["reason"] >> 2
        words[at["threshold"] >> 2] = self.threshold
        self._ended = False
        made = 0
        while made < limit:
            # Who listens for traps may have changed what there is to look at.
            if breakpoints or bus.watch is not None:  # type: ignore[attr-defined]
                if not made or hart.pc not in breakpoints:
                    made += self._by_reference(limit - made, breakpoints)
                break
            words[at["listen"] >> 2] = self.listens() if self.on_trap is not None else 0
            steps = min(limit - made, Runtime.slice)
            words[left] = words[counted] = steps
            self._run()
            made += steps - words[left]
            why = words[reason]
            if why == DEVICE:
                made += self._by_reference(1, ())
            elif why == HOT:
                self._translate()
            elif why == CODE:
                self._invalidate_written()
            elif why == TRAPPED:
                self._trapped(hart.mcause if hart.mode == M else hart.scause)
            if self._ended or bus.attention or hart.waiting:  # type: ignore[attr-defined]
                break
        return made

    def _by_reference(self, limit: int, breakpoints: Collection[int]) -> int:
        self._reference.on_trap = self._trapped
        return self._reference.run(limit, breakpoints)

    def _trapped(self, cause: int) -> bool:
        """Tells the listener of a trap, which may end the run."""
        self._ended = self.on_trap is not None and self.on_trap(cause)
        return self._ended
