"""The fast engine: what `kit.engine.core` and `kit.engine.translator` generate, run by a host.

It agrees with the reference engine state for state wherever it returns. Accesses to devices, and
whatever is watched or has breakpoints, it leaves to the reference engine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import kit.isa
from kit.engine.cache import cached_bytes, source_digest
from kit.engine.layout import Layout
from kit.engine.reference import ReferenceEngine
from kit.engine.runtime import Runtime
from kit.engine.shared_hart import shared_hart
from kit.isa.config import Config
from kit.isa.cpu import M
from kit.isa.hart import Hart, StorageBus

__all__ = ["FastEngine"]

BUDGET, TRAPPED, WAITING, DEVICE, HOT, CODE = range(6)
TABLE_PAGE, CODE_PAGE = 1, 2
SLICE = 1 << 24
"""Steps after which control-C has its turn."""


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
        self._words = memory.cast("I")
        self.on_trap: Callable[[int], bool] | None = None
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

    def written(self, offset: int, length: int) -> None:
        """RAM has been written by somebody else, who may have changed tables or code."""
        first, last = offset >> 12, offset + length - 1 >> 12
        if any(guard & TABLE_PAGE for guard in self.pages[first : last + 1]):
            self._words[self._layout.at["flush"] >> 2] = 1

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
        bus = self._bus
        if breakpoints or bus.watch is not None:  # type: ignore[attr-defined]
            return self._by_reference(limit, breakpoints)
        words, at = self._words, self._layout.at
        left, counted, reason = at["left"] >> 2, at["counted"] >> 2, at["reason"] >> 2
        words[at["listen"] >> 2] = self.listens() if self.on_trap is not None else 0
        made = 0
        while made < limit:
            steps = min(limit - made, SLICE)
            words[left] = words[counted] = steps
            self._run()
            made += steps - words[left]
            why = words[reason]
            if why == DEVICE:
                made += self._by_reference(1, ())
            elif why == TRAPPED and self._trap_ends_it():
                break
            if bus.attention or self._hart.waiting:  # type: ignore[attr-defined]
                break
        return made

    def _by_reference(self, limit: int, breakpoints: Collection[int]) -> int:
        self._reference.on_trap = self.on_trap
        return self._reference.run(limit, breakpoints)

    def _trap_ends_it(self) -> bool:
        hart = self._hart
        cause = hart.mcause if hart.mode == M else hart.scause
        return self.on_trap is not None and self.on_trap(cause)
