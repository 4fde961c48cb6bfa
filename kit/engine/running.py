"""The functions of the core that run: traps, interrupts, and one instruction after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kit.engine.layout import (
    BREAKPOINT,
    BUDGET,
    CODE,
    DECODED,
    DEVICE,
    ENDING,
    ENTRIES,
    GOLDEN,
    HEAT,
    HOT,
    KINDS,
    LINEAR,
    MISSED,
    MISSING,
    OFTEN,
    PAGE_MASK,
    PLACES,
    SCATTERED,
    TRAPPED,
    WAITING,
    Layout,
)
from kit.engine.state import StateCode
from kit.engine.wasm import I32, Code, Module, Shape
from kit.isa.cpu import M

__all__ = ["Running"]

SYSTEM = 0x73


class Running:
    """Writes the functions named in `names`; `numbers` are those of all functions of the core."""

    names = ("synchronize", "enter_trap", "chain", "run")

    def __init__(self, layout: Layout, numbers: dict[Any, int], module: Module) -> None:
        self.layout, self.numbers, self.module = layout, numbers, module

    def functions(self) -> Iterator[tuple[Code, Shape]]:
        """The functions, in the order of `names`, with their types."""
        yield self._synchronize(), ((), ())
        yield self._enter_trap(), ((I32,), (I32,))
        yield self._chain(), ((), (I32,))
        yield self._run(), ((), ())

    def _synchronize(self) -> StateCode:
        """Counts the steps made since the clocks were right; each completed an instruction."""
        code = StateCode(self.layout)
        code.load("counted")
        code.load("left")
        code.op("i32.ne")
        code.open("if")
        code.load("counted")
        code.load("left")
        code.op("i32.sub", "i64.extend_i32_u")
        code.call(self.numbers["count"])
        code.store("counted", lambda: code.load("left"))
        code.op("end")
        return code

    def _enter_trap(self) -> StateCode:
        """(interrupt's cause or 0) -> 1 if the caller listens: takes a trap, which is a step."""
        code = StateCode(self.layout, 1)
        numbers = self.numbers
        code.call(numbers["synchronize"])
        code.get(0)
        code.open("if")
        code.get(0)
        code.const(I32, 0)
        code.call(numbers["interrupt"])
        code.op("else")
        code.load("cause")
        code.load("tval")
        code.call(numbers["exception"])
        code.op("end")
        code.call(numbers["count trap"])
        code.put("trapped", 0)
        code.increment("left", -1)
        code.store("counted", lambda: code.load("left"))
        # Is this a trap that the caller listens for?
        code.load("listen")
        code.const(I32, 2)
        code.op("i32.eq")
        code.load("listen")
        code.load("mode")
        code.const(I32, M)
        code.op("i32.eq", "i32.and", "i32.or")
        return code

    def _run(self) -> StateCode:
        code = StateCode(self.layout)
        numbers = self.numbers
        self.word, self.cause, self.jumped = (code.local(I32) for _ in range(3))
        self.slot, self.place = code.local(I32), code.local(I32)
        self.out = code.open("block")
        self.top = code.open("loop")
        code.load("leave")
        code.open("if")
        code.put("leave", 0)
        self._come_back(code, CODE)
        code.op("end")
        self._finish_if(code, "left", BUDGET, zero=True)
        code.load("breaks")
        code.open("if")
        self._check_breakpoints(code)
        code.op("end")
        code.call(numbers["settle"])
        # In an instruction that has been begun there is no place for anything else any more.
        begun = code.open("block")
        code.load("outside")
        code.branch(begun, "br_if")
        self._take_interrupt(code)
        self._translated(code)
        code.op("end")
        self._interpret(code)
        code.branch(self.top)
        code.op("end", "end")
        code.call(numbers["synchronize"])
        return code

    def _come_back(self, code: StateCode, reason: int) -> None:
        code.put("reason", reason)
        code.branch(self.out)

    def _finish_if(self, code: StateCode, name: str, reason: int, zero: bool = False) -> None:
        code.load(name)
        if zero:
            code.op("i32.eqz")
        code.open("if")
        self._come_back(code, reason)
        code.op("end")

    def _check_breakpoints(self, code: StateCode) -> None:
        """Comes back if pc is at a breakpoint; whether the first step counts is said elsewhere."""
        over = code.open("block")
        code.load("break_first")
        code.op("i32.eqz")
        code.load("left")
        code.load("started")
        code.op("i32.eq", "i32.and")
        code.branch(over, "br_if")
        code.load("breaks")
        code.set(self.place)
        loop = code.open("loop")
        code.get(self.place)
        code.op("i32.eqz")
        code.branch(over, "br_if")
        code.get(self.place)
        code.const(I32, 1)
        code.op("i32.sub")
        code.tee(self.place)
        code.const(I32, 2)
        code.op("i32.shl")
        code.access("i32.load", self.layout.at["breakpoints"])
        code.load("pc")
        code.op("i32.ne")
        code.branch(loop, "br_if")
        self._come_back(code, BREAKPOINT)
        code.op("end", "end")

    def _take_interrupt(self, code: StateCode) -> None:
        code.load("mip")
        code.load("wires")
        code.op("i32.or")
        code.load("mie")
        code.op("i32.and")
        code.open("if")
        code.call(self.numbers["pending"])
        code.tee(self.cause)
        code.open("if")
        code.get(self.cause)
        self._trap(code)
        code.op("end", "end")

    def _trap(self, code: StateCode) -> None:
        """Takes the trap on the stack, and goes on with the handler, or comes back."""
        code.call(self.numbers["enter_trap"])
        code.open("if")
        self._come_back(code, TRAPPED)
        code.op("end")
        code.const(I32, 1)
        code.set(self.jumped)
        code.branch(self.top)

    def _chain(self) -> StateCode:
        """() -> what the translation at pc returns, which is called, or `MISSING`."""
        code, at = StateCode(self.layout), self.layout.at
        self.place, page = code.local(I32), code.local(I32)
        missing = code.open("block")
        self._find_page(code, page, missing)
        self._key(code, page)
        self._place(code, PLACES, 4)
        code.access("i32.load", at["places"])
        code.load("pc")
        code.op("i32.ne")
        code.branch(missing, "br_if")
        code.get(self.place)
        code.access("i32.load", at["places"] + 4)
        code.get(page)
        code.op("i32.ne")
        code.branch(missing, "br_if")
        code.store("current", lambda: code.get(self.place))
        code.get(self.place)
        code.access("i32.load", at["places"] + 8)
        code.tail_call_indirect(self.module.type_of((), (I32,)))
        code.op("end")
        code.const(I32, MISSING)
        return code

    def _translated(self, code: StateCode) -> None:
        """Runs translations, as long as they follow each other; then pc is to be interpreted."""
        before, result = code.local(I32), code.local(I32)
        code.load("left")
        code.set(before)
        code.call(self.numbers["chain"])
        code.set(result)
        code.load("left")
        code.op("i32.eqz")
        code.branch(self.top, "br_if")
        code.load("left")
        code.get(before)
        code.op("i32.ne")
        code.open("if")
        # A region could begin here, or behind what is left out, but not where a budget ends.
        code.get(result)
        code.const(I32, ENDING)
        code.op("i32.ne")
        code.set(self.jumped)
        code.load("breaks")
        code.branch(self.top, "br_if")
        code.op("end")
        code.get(result)
        code.const(I32, MISSED)
        code.op("i32.eq")
        code.open("if")
        self._remember_missed(code)
        code.op("end")
        code.get(result)
        code.const(I32, MISSING)
        code.op("i32.eq")
        code.get(self.jumped)
        code.op("i32.and")
        code.open("if")
        self._warm(code)
        code.op("end")

    def _remember_missed(self, code: StateCode) -> None:
        """Has the page of an address remembered that was in no window, so that next time it is."""
        # Remembering can write to tables, which is part of the step: nothing may come in between.
        code.load("misses")
        code.const(I32, OFTEN)
        code.op("i32.gt_u")
        code.open("if")
        code.put("misses", 0)
        self._come_back(code, SCATTERED)
        code.op("end")
        for number, (access, size) in enumerate(KINDS):
            code.load("missed_kind")
            code.const(I32, number)
            code.op("i32.eq")
            # A misaligned access traps, and no walk is made for it.
            code.load("missed")
            code.const(I32, size - 1)
            code.op("i32.and", "i32.eqz", "i32.and")
            code.open("if")
            code.load("missed")
            code.call(self.numbers[f"remember_{access}{size}"])
            code.op("drop", "end")

    def _execute_entry(self, code: StateCode) -> None:
        """Pushes whether nothing is remembered of the page at pc; its entry is in `place`."""
        code.load("execute_table")
        code.load("pc")
        code.const(I32, 9)
        code.op("i32.shr_u")
        code.const(I32, (ENTRIES - 1) << 3)
        code.op("i32.and", "i32.add")
        code.tee(self.place)
        code.access("i32.load", 0)
        code.load("pc")
        code.const(I32, PAGE_MASK)
        code.op("i32.and", "i32.ne")

    def _find_page(self, code: StateCode, page: int, unknown: int) -> None:
        """Sets `page` (a local) to what tells apart code at one virtual address.

        Branches to `unknown` where nothing is remembered of the page at pc.
        """
        code.const(I32, LINEAR)
        code.set(page)
        code.load("linear")
        code.op("i32.eqz")
        code.open("if")
        self._execute_entry(code)
        code.branch(unknown, "br_if")
        code.get(self.place)
        code.access("i32.load", 4)
        code.load("pc")
        code.const(I32, PAGE_MASK)
        code.op("i32.and", "i32.add")
        code.set(page)
        code.op("end")

    @staticmethod
    def _key(code: StateCode, page: int) -> None:
        """Pushes the key of the code at pc: see `kit.engine.layout.key_of`."""
        code.load("pc")
        code.const(I32, 1)
        code.op("i32.shr_u")
        code.get(page)
        code.const(I32, 12)
        code.op("i32.shr_u")
        code.const(I32, GOLDEN)
        code.op("i32.mul", "i32.xor")

    def _place(self, code: StateCode, entries: int, shift: int) -> None:
        """Turns a key into the offset of its entry in a table, which is also kept in `place`."""
        code.const(I32, entries - 1)
        code.op("i32.and")
        code.const(I32, shift)
        code.op("i32.shl")
        code.tee(self.place)

    def _warm(self, code: StateCode) -> None:
        """Counts the arrivals at pc; comes back where it is worth translating.

        Where nothing is remembered of the page at pc, no translation could be found either.
        """
        heat = self.layout.at["heat"]
        key, page = code.local(I32), code.local(I32)
        code.const(I32, 0)
        code.set(self.jumped)
        self.cold = code.open("block")
        self._find_page(code, page, self.cold)
        known = code.open("block")
        self._key(code, page)
        code.tee(key)
        self._place(code, HEAT, 3)
        code.access("i32.load", heat)
        code.get(key)
        code.op("i32.eq")
        code.branch(known, "br_if")
        # Another address has this entry. It cools by this arrival, and goes when it is cold.
        code.get(self.place)
        code.access("i32.load", heat + 4)
        code.open("if")
        self._heat(code, -1)
        code.branch(self.cold)
        code.op("end")
        code.get(self.place)
        code.get(key)
        code.access("i32.store", heat)
        code.op("end")
        code.get(self.place)
        code.access("i32.load", heat + 4)
        code.load("threshold")
        code.op("i32.ge_u")
        code.branch(self.cold, "br_if")
        self._heat(code, 1)
        code.get(self.place)
        code.access("i32.load", heat + 4)
        code.load("threshold")
        code.op("i32.eq")
        code.open("if")
        self._come_back(code, HOT)
        code.op("end", "end")

    def _heat(self, code: StateCode, by: int) -> None:
        """Adds to the count of the entry in `place`."""
        heat = self.layout.at["heat"]
        code.get(self.place)
        code.get(self.place)
        code.access("i32.load", heat + 4)
        code.const(I32, by)
        code.op("i32.add")
        code.access("i32.store", heat + 4)

    def _interpret(self, code: StateCode) -> None:
        """Executes the instruction at pc."""
        numbers = self.numbers
        begun = code.open("block")
        code.load("instruction")
        code.set(self.word)
        code.load("outside")
        code.branch(begun, "br_if")
        self._fetch(code)
        code.get(self.word)
        code.call(numbers["begin"])
        code.set(self.word)
        code.op("end")
        self._decode(code)
        system = code.open("block")
        code.get(self.word)
        code.const(I32, 0x7F)
        code.op("i32.and")
        code.const(I32, SYSTEM)
        code.op("i32.ne")
        code.branch(system, "br_if")
        code.call(numbers["synchronize"])
        code.op("end")
        code.get(self.word)
        code.get(self.slot)
        code.call_indirect(self.module.type_of((I32,), ()))
        self._check_trap(code)
        # Has it jumped, be it to itself?
        code.load("next_pc")
        code.load("pc")
        code.op("i32.sub")
        code.const(I32, 1)
        code.op("i32.sub")
        code.const(I32, 3)
        code.op("i32.gt_u")
        code.get(self.jumped)
        code.op("i32.or")
        code.set(self.jumped)
        code.store("pc", lambda: code.load("next_pc"))
        code.increment("left", -1)
        self._finish_if(code, "waiting", WAITING)

    def _check_trap(self, code: StateCode) -> None:
        """Takes the trap of the instruction at pc, if it has trapped."""
        code.load("trapped")
        code.open("if")
        code.load("trapped")
        code.const(I32, 2)
        code.op("i32.eq")
        code.open("if")
        code.put("trapped", 0)
        self._come_back(code, DEVICE)
        code.op("end")
        code.const(I32, 0)
        self._trap(code)
        code.op("end")

    def _fetch(self, code: StateCode) -> None:
        """Reads the word at pc: directly, where it is known to be open to that."""
        layout = self.layout
        fetched = code.open("block")
        slowly = code.open("block")
        code.load("linear")
        code.open("if")
        code.load("pc")
        code.const(I32, layout.ram_base)
        code.op("i32.sub")
        code.tee(self.place)
        code.const(I32, layout.size - 4)
        code.op("i32.gt_u")
        code.branch(slowly, "br_if")
        code.get(self.place)
        code.access("i32.load", layout.at["ram"])
        code.set(self.word)
        code.branch(fetched)
        code.op("end")
        # Two bytes before its end, a page might not hold all of the word.
        code.load("pc")
        code.const(I32, 0xFFF)
        code.op("i32.and")
        code.const(I32, 0xFFC)
        code.op("i32.gt_u")
        code.branch(slowly, "br_if")
        self._execute_entry(code)
        code.branch(slowly, "br_if")
        code.get(self.place)
        code.access("i32.load", 4)
        code.load("pc")
        code.op("i32.add")
        code.access("i32.load", 0)
        code.set(self.word)
        code.branch(fetched)
        code.op("end")
        code.call(self.numbers["fetch"])
        code.set(self.word)
        self._check_trap(code)
        code.load("linear")
        code.branch(fetched, "br_if")
        code.load("pc")
        code.call(self.numbers["remember_execute2" if layout.config.has_c else "remember_execute4"])
        code.op("drop", "end")

    def _decode(self, code: StateCode) -> None:
        """Finds the slot of the word's handler: remembered, or found in the encoding table."""
        decoded = self.layout.at["decoded"]
        code.get(self.word)
        code.const(I32, GOLDEN)
        code.op("i32.mul")
        code.const(I32, 20)
        code.op("i32.shr_u")
        code.const(I32, DECODED - 1)
        code.op("i32.and")
        code.const(I32, 3)
        code.op("i32.shl")
        code.tee(self.place)
        code.access("i32.load", decoded)
        code.get(self.word)
        code.op("i32.ne")
        code.open("if")
        code.get(self.place)
        code.get(self.word)
        code.access("i32.store", decoded)
        code.get(self.place)
        code.get(self.word)
        code.call(self.numbers["decode"])
        code.access("i32.store", decoded + 4)
        code.op("end")
        code.get(self.place)
        code.access("i32.load", decoded + 4)
        code.set(self.slot)
