"""The fast engine: what `kit.engine.core` and `kit.engine.translator` generate, run by a host.

It agrees with the reference engine state for state wherever it returns. What needs to be told of
every write to storage, or of writes to very many places, it leaves to the reference engine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import kit.isa
from kit.engine.cache import cached_bytes, source_digest
from kit.engine.layout import (
    ABSENT,
    BREAKPOINT,
    BREAKPOINTS,
    BUDGET,
    CODE,
    DEVICE,
    HOT,
    NOT_ASKED,
    READ,
    SCATTERED,
    TRAPPED,
    WATCH_PAGE,
    WATCHES,
    WRITING,
    WRITTEN,
    Layout,
)
from kit.engine.reference import ReferenceEngine
from kit.engine.shared_hart import shared_hart
from kit.engine.translations import Translations
from kit.isa.config import Config
from kit.isa.cpu import M
from kit.isa.hart import Hart, StorageBus

if sys.platform == "emscripten":
    from kit.engine.runtime_pyodide import Runtime
else:
    from kit.engine.runtime import Runtime

__all__ = ["FastEngine"]

THRESHOLD = 5000
"""After so many arrivals at an address the code there is translated: when the core has spent about
as long on it as a translation takes, some milliseconds."""


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
        self._words = memory.cast("I")
        self._at = {name: place >> 2 for name, place in self._layout.at.items()}
        self._translations = Translations(self._layout, self._runtime)
        self.pages, self.written = self._translations.pages, self._translations.written
        self.on_trap: Callable[[int], bool] | None = None
        self.threshold = THRESHOLD
        self.listens: Callable[[], int] = lambda: 2
        self._watched: tuple[range, ...] = ()
        self._watched_pages: set[int] = set()
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
        bus: Any = self._bus
        hart, words, at = self._hart, self._words, self._at
        left, reason = at["left"], at["reason"]
        words[at["threshold"]] = self.threshold
        self._ended = False
        made = 0
        while made < limit:
            # Who listens for traps may have changed what there is to look at.
            if len(breakpoints) > BREAKPOINTS or not self._can_watch(bus):
                if not made or hart.pc not in breakpoints:
                    made += self._by_reference(limit - made, breakpoints)
                break
            if breakpoints or words[at["breaks"]]:
                self._set_breakpoints(breakpoints, made)
            words[at["listen"]] = self.listens() if self.on_trap is not None else 0
            steps = min(limit - made, Runtime.slice)
            words[left] = words[at["counted"]] = words[at["started"]] = steps
            self._run()
            made += steps - words[left]
            if words[reason] == DEVICE:
                made += self._access_device()
            if words[at["watch_hits"]]:
                self._tell_of_writes(bus)
            why = words[reason]
            if why == HOT:
                self._translations.translate(hart.pc)
            elif why == SCATTERED:
                self._translations.scatter()
            elif why == CODE:
                self._translations.drop_written()
            elif why == TRAPPED:
                self._trapped(hart.mcause if hart.mode == M else hart.scause)
            elif why == BREAKPOINT:
                break
            if self._ended or bus.attention or hart.waiting:
                break
        self._translations.age(made)
        return made

    def _set_breakpoints(self, breakpoints: Collection[int], made: int) -> None:
        """Tells the core where to come back; not before the first of all steps."""
        words, at = self._words, self._at
        # Others are at no address that pc can have.
        places = [pc for pc in breakpoints if isinstance(pc, int) and 0 <= pc < 1 << 32]
        self._translations.exclude(places)
        words[at["breaks"]] = len(places)
        words[at["break_first"]] = made > 0
        for number, pc in enumerate(places):
            words[at["breakpoints"] + number] = pc

    def _can_watch(self, bus: Any) -> bool:
        """Has the core watch what is to be watched, if it can."""
        wanted = () if bus.watch is None else bus.watched
        if wanted is None or len(wanted) > WATCHES:
            return False
        if wanted != self._watched:
            self._watched = wanted
            self._set_watched(wanted)
        return True

    def _set_watched(self, ranges: Collection[range]) -> None:
        """From now on, the core comes back after each write to these addresses of RAM."""
        words, at, base = self._words, self._at, self._layout.ram_base
        for page in self._watched_pages:
            self.pages[page] &= ~WATCH_PAGE
        words[at["watches"]] = len(ranges)
        for number, one in enumerate(ranges):
            words[at["watched"] + 2 * number] = one.start
            words[at["watched"] + 2 * number + 1] = len(one)
        self._watched_pages = {one.start - base >> 12 for one in ranges}
        for page in self._watched_pages:
            self.pages[page] |= WATCH_PAGE
        words[at["flush"]] = 1  # a page that could be written to directly cannot any more

    def _tell_of_writes(self, bus: Any) -> None:
        """Tells of the writes to what is watched that the last step made."""
        words, at = self._words, self._at
        place = at["watch_hit"]
        rows = words[place : place + 2 * words[at["watch_hits"]]].tolist()
        words[at["watch_hits"]] = 0
        for address, size in zip(rows[::2], rows[1::2], strict=True):
            bus.watch(address, size)

    def _access_device(self) -> int:
        """The instruction that the core has begun, which accesses what is not RAM; returns 1."""
        words, at, bus = self._words, self._at, self._bus
        kind, address, size = (words[at["outside_" + name]] for name in ("kind", "address", "size"))
        if words[at["leave"]]:
            words[at["leave"]] = 0
            self._translations.drop_written()
        if not kind:
            words[at["reason"]] = BUDGET
            return self._by_reference(1, ())
        try:
            if not bus.reaches(address, size):
                self._go_on(ABSENT)
            elif kind == READ:
                words[at["outside_value"]] = bus.read(address, size)
                self._go_on(READ)
            else:
                self._go_on(WRITING)
                bus.write(address, size, words[at["outside_value"]])
                self._go_on(WRITTEN)
        finally:
            words[at["outside"]] = NOT_ASKED
        return 1

    def _go_on(self, state: int) -> None:
        """Executes the instruction begun anew, with so much known of its access."""
        words, at = self._words, self._at
        words[at["outside"]] = state
        for name in ("left", "counted", "started"):
            words[at[name]] = 1
        words[at["break_first"]] = 0
        self._run()

    def _by_reference(self, limit: int, breakpoints: Collection[int]) -> int:
        self._reference.on_trap = self._trapped
        return self._reference.run(limit, breakpoints)

    def _trapped(self, cause: int) -> bool:
        """Tells the listener of a trap, which may end the run."""
        self._ended = self.on_trap is not None and self.on_trap(cause)
        return self._ended
