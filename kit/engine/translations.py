"""Which code is translated, where the core finds the translations, and when they end.

Translations are kept by physical page. A store to translated code drops those of its page; the same
code at the same virtual address, seen again, gets the same translation again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from kit.engine.layout import (
    CODE_PAGE,
    ENTRIES,
    HEAT,
    LINEAR,
    PLACES,
    TABLE_PAGE,
    Layout,
    key_of,
)

if TYPE_CHECKING:
    from kit.engine.regions import Region
    from kit.engine.runtime import Runtime
    from kit.engine.translator import Translator

__all__ = ["Translations"]

PAGE = 4096
FIRST_SLOT = 256
MOST = 1 << 20
"""Instructions in all translations together; each takes some 300 bytes of the host's memory."""
VOLATILE = 8
"""Code on a page that has been written over so often lately is not translated anew."""
LATELY = 1 << 28
"""After so many steps, half of that is forgiven."""
SCATTERED_WITHIN = 1 << 24
"""After so many steps, misses are counted anew."""


COLD = bytes(HEAT * 8)


class Translations:
    """The translations of one machine's code, in its memory."""

    def __init__(self, layout: Layout, runtime: Runtime) -> None:
        self._layout, self._runtime = layout, runtime
        memory, at = runtime.bytes, layout.at
        self._memory, self._words = memory, memory.cast("I")
        self._ram = memory[at["ram"] : at["ram"] + layout.size]
        self.pages = memory[at["guards"] : at["guards"] + (layout.size >> 12)]
        self._lines = memory[at["lines"] : at["lines"] + (layout.size >> 5)]
        self._translator: Translator | None = None
        self._next_slot = FIRST_SLOT
        self._slots: dict[bytes, int] = {}
        self._room = MOST
        # By page of RAM: the translations with code on it, as (place, pc, page).
        self._on_page: defaultdict[int, set[tuple[int, int, int]]] = defaultdict(set)
        self._changes: Counter[int] = Counter()
        self._steps = 0
        self._breakpoints: frozenset[int] = frozenset()
        self._scattered: set[tuple[int, int]] = set()

    # -- translating -----------------------------------------------------------------------------

    def translate(self, pc: int) -> None:
        """Translates the code at a virtual address, where that can be done."""
        page = self._page(pc)
        if page is None:
            return
        region = self._region(pc, page)
        if not region.blocks:
            return
        offset = -self._layout.ram_base
        if page != LINEAR:
            offset = page - self._layout.at["ram"] - (pc & -PAGE)
        code = [at + offset for block in region.blocks.values() for at, _ in block.instructions]
        pages = {part >> 12 for start in code for part in self._ends(start)}
        slot = self._slot(region, (page == LINEAR, (pc, page) in self._scattered), pages)
        if slot is None:
            return
        self._guard(code)
        place = self._place(pc, page)
        before = self._words[place], self._words[place + 1]
        if before != (pc, page):
            self._cool(*before)
        for number, value in enumerate((pc, page, slot)):
            self._words[place + number] = value
        for number in pages:
            self._on_page[number].add((place, pc, page))

    def _region(self, pc: int, page: int) -> Region:
        """The region at pc; one that is too large ends where others begin.

        Else each turn of a long loop would end one at another place, and there another would begin.
        """
        read = self._reader(pc, page)
        region = self._translate.find(pc, read)
        if region.is_cut:
            region = self._translate.find(
                pc, lambda at: None if at != pc and self._begins(at, page) else read(at)
            )
        return region

    def _begins(self, pc: int, page: int) -> bool:
        """Is there a translation of the code at pc?"""
        place = self._place(pc, page)
        return (self._words[place], self._words[place + 1]) == (pc, page)

    def _place(self, pc: int, page: int) -> int:
        """Where the core looks for a translation of the code at pc, as an index of words."""
        return self._layout.at["places"] + key_of(pc, page) % PLACES * 16 >> 2

    def scatter(self) -> None:
        """Replaces the translation entered last by one that minds less where its addresses lie."""
        at = self._layout.at
        place = at["places"] + self._words[at["current"] >> 2] >> 2
        pc, page = self._words[place], self._words[place + 1]
        self._scattered.add((pc, page))
        if page == self._page(pc):
            self.translate(pc)

    @property
    def _translate(self) -> Translator:
        if self._translator is None:
            # Many a run is over before anything is worth translating, and needs no definitions.
            from kit.engine.translator import Translator

            self._translator = Translator(self._layout)
        return self._translator

    def _slot(self, region: Region, kind: tuple[bool, bool], pages: Iterable[int]) -> int | None:
        """Where in the table the function of a region is; None if there is to be none.

        Its kind: are all addresses physical, is it scattered?
        """
        code = sorted(row for block in region.blocks.values() for row in block.instructions)
        key = sha256(repr((region.entry, kind, code)).encode()).digest()
        if key not in self._slots:
            slot = self._next_slot
            is_full = slot == self._runtime.slots or self._room < len(code)
            if is_full or any(self._changes[n] >= VOLATILE for n in pages):
                return None
            try:
                self._runtime.load(self._translate.translate(region, slot, *kind))
            except MemoryError:
                # The core goes on without; what is translated already stays.
                self._room = 0
                return None
            self._slots[key] = slot
            self._next_slot += 1
            self._room -= len(code)
        return self._slots[key]

    def _page(self, pc: int) -> int | None:
        """What the core compares to tell apart translations for one virtual address."""
        words, at = self._words, self._layout.at
        if words[at["linear"] >> 2]:
            return LINEAR
        entry = words[at["execute_table"] >> 2] + (pc >> 9 & (ENTRIES - 1) << 3) >> 2
        if words[entry] != pc & -PAGE:
            return None
        return words[entry + 1] + (pc & -PAGE) & 0xFFFF_FFFF

    def _reader(self, pc: int, page: int) -> Callable[[int], int | None]:
        """What gives the instruction at a virtual address, if it may be part of the region."""
        if page == LINEAR:
            return partial(self._word, -self._layout.ram_base, range(self._layout.size))
        start = page - self._layout.at["ram"]
        return partial(self._word, start - (pc & -PAGE), range(start, start + PAGE))

    def _word(self, delta: int, within: range, address: int) -> int | None:
        offset = address + delta
        if offset not in within or offset + 1 not in within or address in self._breakpoints:
            return None
        low = self._ram[offset] | self._ram[offset + 1] << 8
        if low & 3 != 3:
            return low
        if offset + 3 not in within:
            return None
        return low | self._ram[offset + 2] << 16 | self._ram[offset + 3] << 24

    # -- dropping --------------------------------------------------------------------------------

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
        return offset, offset + (3 if self._ram[offset] & 3 == 3 else 1)

    def _invalidate(self, page: int) -> None:
        """Drops the translations of code on a page of RAM."""
        for place, pc, tag in self._on_page.pop(page, ()):
            if (self._words[place], self._words[place + 1]) == (pc, tag):
                self._words[place + 1] = 0
        self._lines[page << 7 : page + 1 << 7] = bytes(PAGE >> 5)
        self.pages[page] &= ~CODE_PAGE
        self._changes[page] += 1
        self._forget_heat()

    def _forget_heat(self) -> None:
        """What is hot is found out anew."""
        heat = self._layout.at["heat"]
        self._memory[heat : heat + HEAT * 8] = COLD

    def _cool(self, pc: int, page: int) -> None:
        """What had to give way to other code at its place may become hot anew."""
        key = key_of(pc, page)
        entry = self._layout.at["heat"] + key % HEAT * 8 >> 2
        if self._words[entry] == key:
            self._words[entry + 1] = 0

    def drop_written(self) -> None:
        """Drops the translations on the pages that the core has found written over."""
        count, written = (self._layout.at[name] >> 2 for name in ("written_pages", "written"))
        for page in set(self._words[written : written + self._words[count]].tolist()):
            self._invalidate(page)
        self._words[count] = 0

    def written(self, offset: int, length: int) -> None:
        """RAM has been written by somebody else, who may have changed tables or code."""
        last = offset + length - 1
        for page in range(offset >> 12, (last >> 12) + 1):
            guard = self.pages[page]
            if guard & TABLE_PAGE:
                self._words[self._layout.at["flush"] >> 2] = 1
            if guard & CODE_PAGE:
                start, end = max(offset, page << 12), min(last, (page << 12) + PAGE - 1)
                if any(self._lines[start >> 5 : (end >> 5) + 1]):
                    self._invalidate(page)

    def exclude(self, breakpoints: Collection[int]) -> None:
        """From now on no translation has an instruction at one of these virtual addresses."""
        excluded = frozenset(breakpoints)
        if excluded == self._breakpoints:
            return
        self._breakpoints = excluded
        for place in self._places():
            self._words[place + 1] = 0
        self._on_page.clear()
        self._forget_heat()

    def _places(self) -> Iterator[int]:
        for rows in self._on_page.values():
            for place, _, _ in rows:
                yield place

    def age(self, steps: int) -> None:
        """So many steps were made: what was written over long ago may be translated again."""
        before = self._steps
        self._steps += steps
        if self._steps // SCATTERED_WITHIN != before // SCATTERED_WITHIN:
            self._words[self._layout.at["misses"] >> 2] = 0
        if self._steps >= LATELY:
            self._steps = 0
            self._changes = +Counter({page: times >> 1 for page, times in self._changes.items()})
