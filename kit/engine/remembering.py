"""Functions of the core about storage: what is remembered of translations, and guarded pages.

A page is guarded where a walk has read tables in it, or where translated code or something watched
lies in it; writes to it are noticed. What is remembered is only ever a page that may be accessed as
a whole, directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kit.engine.layout import (
    ACCESSES,
    ENTRIES,
    INVALID,
    PAGE_MASK,
    REGIMES,
    TABLE,
    TABLE_LIMIT,
    TABLE_PAGE,
    WATCH_HITS,
    WATCH_PAGE,
    WINDOW,
    Layout,
)
from kit.engine.state import StateCode
from kit.engine.wasm import I32, I64, Code, Shape

__all__ = ["Remembering"]

SIZES = (1, 2, 4)
PAGE_SIZE = 4096
MARKED_AT_ONCE = 16
"""Pages of tables that are marked until the next instruction, at most: two for each walk, of which
there are up to six: two for a fetch, one for its access, three to remember what was found."""


class Remembering:
    """Writes the functions named in `names`; `numbers` are those of all functions of the core."""

    names = (
        "mark", "drop", "fill", "settle", *(f"write{s}" for s in SIZES), "guarded",
        "watched", "widen", *(f"remember_{a}{s}" for a in ACCESSES for s in SIZES),
    )  # fmt: skip

    def __init__(self, layout: Layout, numbers: dict[Any, int]) -> None:
        self.layout, self.numbers = layout, numbers

    def functions(self) -> Iterator[tuple[Code, Shape]]:
        """The functions, in the order of `names`, with their types."""
        yield self._mark(), ((I32,), ())
        for code in (self._drop(), self._fill(), self._settle()):
            yield code, ((), ())
        for size in SIZES:
            yield self._write(size), ((I32, I32), ())
        yield self._guarded(), ((I32, I32), ())
        yield self._watched(), ((I32, I32), ())
        yield self._widen(), ((I32, I32, I32), ())
        for access in ACCESSES:
            for size in SIZES:
                yield self._remember(access, size), ((I32,), (I32,))

    def _code(self, params: int = 0) -> StateCode:
        return StateCode(self.layout, params)

    # -- guarded pages ---------------------------------------------------------------------------

    def _guard_address(self, code: StateCode, address: int) -> None:
        """Pushes where the guard of a physical address (a local) lies, but for `guards`."""
        code.get(address)
        code.const(I32, self.layout.ram_base)
        code.op("i32.sub")
        code.const(I32, 12)
        code.op("i32.shr_u")

    def _mark(self) -> StateCode:
        """(address): a walk has read a table there; from now on, writes to its page are noticed."""
        code, at = self._code(1), self.layout.at
        self._guard_address(code, 0)
        code.access("i32.load8_u", at["guards"])
        code.const(I32, TABLE_PAGE)
        code.op("i32.and")
        code.open("if")
        code.op("return", "end")
        self._guard_address(code, 0)
        self._guard_address(code, 0)
        code.access("i32.load8_u", at["guards"])
        code.const(I32, TABLE_PAGE)
        code.op("i32.or")
        code.access("i32.store8", at["guards"])
        # The list of marked pages; when it is nearly full, it starts again at the next instruction.
        code.load("table_pages")
        code.const(I32, TABLE_LIMIT - MARKED_AT_ONCE)
        code.op("i32.ge_u")
        code.open("if")
        code.put("flush", 1)
        code.op("end")
        code.load("table_pages")
        code.const(I32, 2)
        code.op("i32.shl")
        self._guard_address(code, 0)
        code.access("i32.store", at["tables"])
        code.increment("table_pages")
        code.put("marked", 1)
        # A page that was writable directly is so no more.
        start = self.layout.remembered("write")
        size = REGIMES * TABLE
        loop = code.local(I32)
        self._invalidate(code, start, size, loop)
        return code

    def _invalidate(self, code: StateCode, start: int, size: int, counter: int) -> None:
        """Makes every entry of some tables invalid."""
        code.const(I32, size - 16)
        code.set(counter)
        loop = code.open("loop")
        for part in (0, 8):
            code.get(counter)
            code.const(I64, INVALID)
            code.access("i64.store", start + part)
        code.get(counter)
        code.const(I32, 16)
        code.op("i32.sub")
        code.tee(counter)
        code.const(I32, 0)
        code.op("i32.ge_s")
        code.branch(loop, "br_if")
        code.op("end")

    def _drop(self) -> StateCode:
        """Forgets what is remembered of translations, and which pages hold tables."""
        code, at = self._code(), self.layout.at
        counter = code.local(I32)
        page = code.local(I32)
        size = len(ACCESSES) * REGIMES * TABLE
        self._invalidate(code, at["remembered"], size, counter)
        out = code.open("block")
        loop = code.open("loop")
        code.load("table_pages")
        code.op("i32.eqz")
        code.branch(out, "br_if")
        code.increment("table_pages", -1)
        code.load("table_pages")
        code.const(I32, 2)
        code.op("i32.shl")
        code.access("i32.load", at["tables"])
        code.tee(page)
        code.get(page)
        code.access("i32.load8_u", at["guards"])
        code.const(I32, ~TABLE_PAGE)
        code.op("i32.and")
        code.access("i32.store8", at["guards"])
        code.branch(loop)
        code.op("end", "end")
        code.put("flush", 0)
        code.put("regime_changed", 1)
        return code

    def _guarded(self) -> StateCode:
        """(address, bytes): a page that is guarded is being written to."""
        code, at = self._code(2), self.layout.at
        self._guard_address(code, 0)
        code.access("i32.load8_u", at["guards"])
        code.const(I32, TABLE_PAGE)
        code.op("i32.and")
        code.open("if")
        code.put("flush", 1)
        code.op("end")
        self._offset(code, 0)
        code.const(I32, 5)
        code.op("i32.shr_u")
        code.access("i32.load8_u", at["lines"])
        code.open("if")
        code.load("written_pages")
        code.const(I32, 2)
        code.op("i32.shl")
        self._guard_address(code, 0)
        code.access("i32.store", at["written"])
        code.increment("written_pages")
        code.put("leave", 1)
        code.op("end")
        self._guard_address(code, 0)
        code.access("i32.load8_u", at["guards"])
        code.const(I32, WATCH_PAGE)
        code.op("i32.and")
        code.open("if")
        code.get(0)
        code.get(1)
        code.call(self.numbers["watched"])
        code.op("end")
        return code

    def _watched(self) -> StateCode:
        """(address, bytes): in this page something is watched. Is it that which is written?"""
        code, at = self._code(2), self.layout.at
        place = code.local(I32)
        code.load("watches")
        code.set(place)
        loop = code.open("loop")
        code.get(place)
        code.op("i32.eqz")
        code.open("if")
        code.op("return", "end")
        code.get(place)
        code.const(I32, 1)
        code.op("i32.sub")
        code.set(place)
        # The last byte written lies less than length + bytes - 1 behind the first one watched.
        code.get(0)
        code.get(1)
        code.op("i32.add")
        code.const(I32, 1)
        code.op("i32.sub")
        self._double(code, place)
        code.access("i32.load", at["watched"])
        code.op("i32.sub")
        self._double(code, place)
        code.access("i32.load", at["watched"] + 4)
        code.get(1)
        code.op("i32.add")
        code.const(I32, 1)
        code.op("i32.sub", "i32.ge_u")
        code.branch(loop, "br_if")
        code.op("end")
        code.load("watch_hits")
        code.const(I32, WATCH_HITS)
        code.op("i32.lt_u")
        code.open("if")
        for number, offset in ((0, 0), (1, 4)):
            code.load("watch_hits")
            code.const(I32, 3)
            code.op("i32.shl")
            code.get(number)
            code.access("i32.store", at["watch_hit"] + offset)
        code.increment("watch_hits")
        code.op("end")
        code.put("leave", 1)
        return code

    @staticmethod
    def _double(code: StateCode, number: int) -> None:
        """Pushes the offset of an entry of two words."""
        code.get(number)
        code.const(I32, 3)
        code.op("i32.shl")

    def _offset(self, code: StateCode, address: int) -> None:
        code.get(address)
        code.const(I32, self.layout.ram_base)
        code.op("i32.sub")

    def _write(self, size: int) -> StateCode:
        """(address, value): writes to RAM."""
        code, at = self._code(2), self.layout.at
        self._guard_address(code, 0)
        code.access("i32.load8_u", at["guards"])
        code.open("if")
        code.get(0)
        code.const(I32, size)
        code.call(self.numbers["guarded"])
        code.op("end")
        self._offset(code, 0)
        code.get(1)
        code.access({1: "i32.store8", 2: "i32.store16", 4: "i32.store"}[size], at["ram"])
        return code

    # -- regimes and remembered translations -----------------------------------------------------

    def _fill(self) -> StateCode:
        """Finds out which regime the hart is in."""
        code = self._code()
        numbers, layout = self.numbers, self.layout
        code.store("linear", lambda: code.call(numbers["linear"]))
        for access in ACCESSES:

            def push(access: str = access) -> None:
                code.call(numbers[f"regime {access}"])
                code.const(I32, TABLE)
                code.op("i32.mul")
                code.const(I32, layout.remembered(access))
                code.op("i32.add")

            code.store(f"{access}_table", push)
        code.put("regime_changed", 0)
        return code

    def _settle(self) -> StateCode:
        """Brings what is remembered in line with the state, where that has changed."""
        code = self._code()
        code.load("flush")
        code.open("if")
        code.call(self.numbers["drop"])
        code.op("end")
        code.load("regime_changed")
        code.open("if")
        code.call(self.numbers["fill"])
        code.op("end")
        return code

    def _remember(self, access: str, size: int) -> StateCode:
        """(address) -> 1 if its page can be accessed directly from now on.

        Also 0 if the caller must not rely on anything that was remembered before.
        """
        layout, numbers = self.layout, self.numbers
        code = self._code(1)
        physical, place = code.local(I64 if layout.config.plen > 32 else I32), code.local(I32)
        addend = code.local(I32)
        code.put("marked", 0)
        code.get(0)
        code.call(numbers["translate", access, size])
        code.set(physical)
        code.load("trapped")
        code.open("if")
        code.put("trapped", 0)
        code.const(I32, 0)
        code.op("return", "end")
        # The walk may have written over translated code, even over that which asks.
        code.load("leave")
        code.open("if")
        code.const(I32, 0)
        code.op("return", "end")
        code.get(physical)
        code.call(numbers[f"open {access}"])
        code.op("i32.eqz")
        code.open("if")
        code.const(I32, 0)
        code.op("return", "end")
        if access == "write":
            code.get(physical)
            code.op("i32.wrap_i64")
            code.set(place)
            self._guard_address(code, place)
            code.access("i32.load8_u", layout.at["guards"])
            code.open("if")
            code.const(I32, 0)
            code.op("return", "end")
        # entry = table + (address >> 12 & 255) * 8
        code.load(f"{access}_table")
        code.get(0)
        code.const(I32, 9)
        code.op("i32.shr_u")
        code.const(I32, (ENTRIES - 1) << 3)
        code.op("i32.and", "i32.add")
        code.set(place)
        code.get(place)
        code.get(0)
        code.const(I32, PAGE_MASK)
        code.op("i32.and")
        code.access("i32.store", 0)
        code.get(place)
        code.get(physical)
        code.op("i32.wrap_i64")
        code.const(I32, layout.delta)
        code.op("i32.add")
        code.get(0)
        code.op("i32.sub")
        code.tee(addend)
        code.access("i32.store", 4)
        if access != "execute":
            code.load(f"{access}_table")
            code.get(0)
            code.const(I32, PAGE_MASK)
            code.op("i32.and")
            code.get(addend)
            code.call(numbers["widen"])
        code.load("marked")
        code.load("leave")
        code.op("i32.or", "i32.eqz")
        return code

    def _widen(self) -> StateCode:
        """(table, page, addend): the window becomes the run of pages about this one, if longer."""
        code = self._code(3)
        table, page, addend = range(3)
        low, high, size = (code.local(I32) for _ in range(3))
        code.get(table)
        code.access("i32.load", WINDOW + 4)
        code.set(size)
        code.get(page)
        code.tee(low)
        code.const(I32, PAGE_SIZE)
        code.op("i32.add")
        code.set(high)
        self._join_window(code, table, addend, (low, high, size))
        self._join_pages(code, table, addend, low, -PAGE_SIZE)
        self._join_pages(code, table, addend, high, 0)
        code.get(high)
        code.get(low)
        code.op("i32.sub")
        code.get(size)
        code.op("i32.gt_u")
        code.open("if")
        code.get(table)
        code.get(low)
        code.access("i32.store", WINDOW)
        code.get(table)
        code.get(high)
        code.get(low)
        code.op("i32.sub")
        code.access("i32.store", WINDOW + 4)
        code.get(table)
        code.get(addend)
        code.access("i32.store", WINDOW + 8)
        code.op("end")
        return code

    @staticmethod
    def _join_window(code: StateCode, table: int, addend: int, run: tuple[int, int, int]) -> None:
        """Where the run touches the window, and both lie in memory alike, it includes it."""
        low, high, size = run
        code.get(table)
        code.access("i32.load", WINDOW + 8)
        code.get(addend)
        code.op("i32.eq")
        code.open("if")
        code.get(table)
        code.access("i32.load", WINDOW)
        code.get(high)
        code.op("i32.eq")
        code.open("if")
        code.get(high)
        code.get(size)
        code.op("i32.add")
        code.set(high)
        code.op("else")
        code.get(table)
        code.access("i32.load", WINDOW)
        code.get(size)
        code.op("i32.add")
        code.get(low)
        code.op("i32.eq")
        code.open("if")
        code.get(table)
        code.access("i32.load", WINDOW)
        code.set(low)
        code.op("end", "end", "end")

    @staticmethod
    def _join_pages(code: StateCode, table: int, addend: int, end: int, offset: int) -> None:
        """Moves one end of a run over the pages next to it (at `end` + `offset`)."""
        entry = code.local(I32)
        out = code.open("block")
        loop = code.open("loop")
        code.get(table)
        code.get(end)
        code.const(I32, offset)
        code.op("i32.add")
        code.const(I32, 9)
        code.op("i32.shr_u")
        code.const(I32, (ENTRIES - 1) << 3)
        code.op("i32.and", "i32.add")
        code.tee(entry)
        code.access("i32.load", 0)
        code.get(end)
        code.const(I32, offset)
        code.op("i32.add", "i32.ne")
        code.branch(out, "br_if")
        code.get(entry)
        code.access("i32.load", 4)
        code.get(addend)
        code.op("i32.ne")
        code.branch(out, "br_if")
        code.get(end)
        code.const(I32, offset or PAGE_SIZE)
        code.op("i32.add")
        code.set(end)
        code.branch(loop)
        code.op("end", "end")
